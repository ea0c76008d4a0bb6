"""Ids, names and folders of people."""

from __future__ import annotations

from core.types import Identity, Segment
from processors.people.person_linker import identified

PERSON = Identity("4", (7, 8), (Segment("4", 0, 2, 90, (7,)), Segment("4", 1, 95, 190, (8,))), still=True)


def test_id_and_folder_are_the_name_unless_they_are_given() -> None:
    assert (PERSON.id, PERSON.name, PERSON.folder) == ("4", "4", "4")
    given = Identity("Anna", (1,), (), id="f81d", folder="anna_2")
    assert (given.id, given.name, given.folder) == ("f81d", "Anna", "anna_2")


def test_segments_follow_the_name_and_all_else_stays() -> None:
    named = identified(PERSON, "f81d", "Anna", "anna")
    assert (named.id, named.name, named.folder) == ("f81d", "Anna", "anna")
    assert [s.person for s in named.segments] == ["Anna", "Anna"]
    assert named.tracklets == (7, 8) and named.still
    assert [(s.start, s.end, s.tracklets) for s in named.segments] == [(2, 90, (7,)), (95, 190, (8,))]
    plain = identified(named, "person_01")
    assert (plain.id, plain.name, plain.folder) == ("person_01", "person_01", "person_01")
