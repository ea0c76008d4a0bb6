"""Names in images, when fonts lack letters."""

from __future__ import annotations

import logging

import pytest

from processors.extras import drawn_names as module
from processors.extras.drawn_names import drawn_names


@pytest.fixture(autouse=True)
def ascii_only(monkeypatch):
    monkeypatch.setattr(module, "can_write", str.isascii)
    module._drawn.cache_clear()
    yield
    module._drawn.cache_clear()


def test_names_without_a_font_are_numbered_and_warned_of_once(caplog):
    names = ["김민수", "Anna", "José", "王伟"]
    with caplog.at_level(logging.WARNING):
        drawn = drawn_names(names)
        assert drawn_names(iter(names)) == drawn
    assert drawn == {"김민수": "person_01", "Anna": "Anna", "José": "Jose", "王伟": "person_04"}
    assert [record.message.count("김민수") for record in caplog.records] == [1, 0, 0]


def test_no_drawn_name_is_that_of_another_person():
    assert list(drawn_names(["김", "이", "person_01", "person_03"]).values()) == [
        "person_02",
        "person_04",
        "person_01",
        "person_03",
    ]
