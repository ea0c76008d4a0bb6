"""The names of people without a name."""

from __future__ import annotations

import pytest

from processors.people.numbered_names import is_numbered, name_order, next_numbered_name, numbered_name


@pytest.mark.parametrize(("number", "name"), [(1, "person_01"), (42, "person_42"), (100, "person_100")])
def test_a_number_is_a_name(number: int, name: str) -> None:
    assert numbered_name(number) == name
    assert is_numbered(name)


@pytest.mark.parametrize("name", ["Anna", "person_", "person_1 2", "Person_01", "person_01\n", "person_\u0661"])
def test_names_that_somebody_gave(name: str) -> None:
    assert not is_numbered(name)


@pytest.mark.parametrize(
    ("names", "following"),
    [
        ([], "person_01"),
        (["Anna"], "person_01"),
        (["person_01", "person_03"], "person_04"),
        (["person_99", "Anna", "person_2"], "person_100"),
    ],
)
def test_the_next_name_is_after_the_highest(names: list[str], following: str) -> None:
    assert next_numbered_name(names) == following


def test_the_name_that_stays_in_a_merge_comes_first() -> None:
    names = [("person_02", 50.0), ("Anna Bartholomew (2)", 40.0), ("person_01", 60.0), ("Anna Bartholomew", 1.0)]
    ordered = sorted(names, key=lambda one: name_order(*one))
    assert [name for name, _ in ordered] == ["Anna Bartholomew", "Anna Bartholomew (2)", "person_01", "person_02"]
