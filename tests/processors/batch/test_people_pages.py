"""people.html: the flags of the commands on it."""

from __future__ import annotations

import shlex

import pytest

from processors.batch import people_pages
from processors.batch.people_pages import place_flags


@pytest.fixture
def default_output(tmp_path, monkeypatch):
    folder = tmp_path / "videos" / "output"
    folder.mkdir(parents=True)
    monkeypatch.setattr(people_pages, "OUTPUT_DIR", folder)
    return folder


def test_the_default_folder_needs_no_flag(default_output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert place_flags(default_output, default_output / "people.db") == ""
    relative = default_output.relative_to(tmp_path)
    assert place_flags(relative, relative / "people.db") == ""


def test_another_folder_and_another_gallery_are_named_for_the_shell(default_output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "it's 2024"
    assert shlex.split(place_flags(other, other / "people.db")) == ["-o", str(other)]
    assert shlex.split(place_flags(default_output, other / "all.db")) == ["--gallery", str(other / "all.db")]
    relative = other.relative_to(tmp_path)
    assert shlex.split(place_flags(relative, default_output / "people.db")) == [
        "-o",
        str(other),
        "--gallery",
        str(default_output / "people.db"),
    ]


def test_flags_of_a_folder_whose_name_is_not_text_can_be_written(tmp_path):
    flags = place_flags(tmp_path / "\udcff", tmp_path / "\udcff" / "people.db")
    assert flags.encode().startswith(b"-o ") and str(tmp_path) in flags
