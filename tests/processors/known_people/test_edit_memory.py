"""`undo` gives the people of a video back the numbers and names that they had before the edit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from processors.known_people.edit_memory import EDITS_KEPT
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import PersonOfVideo
from processors.known_people.gallery_videos import follow_edits
from tests.processors.known_people.people import run, video

AS_ANALYSED = (("person_01", (0, 1)), ("person_02", (2, 3)))


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    """Two people, both of whom are in two videos."""
    with Gallery(tmp_path / "gallery.sqlite") as opened:
        run(opened, "one", [1, 2])
        assert run(opened, "two", [1, 2], first=20) == {"person_01": 1, "person_02": 2}
        yield opened


def edited(*people: tuple[str, tuple[int, ...]]) -> list[PersonOfVideo]:
    return [PersonOfVideo(label, tracklets) for label, tracklets in people]


def people(gallery: Gallery) -> list[tuple[int, str, int]]:
    """Number, name and count of videos of everybody."""
    return [(person.number, person.name, len(person.appearances)) for person in gallery.people()]


@pytest.mark.parametrize(
    "edit",
    [
        [("person_01", (0, 1, 2, 3))],
        [("person_02", (2, 3))],
        [("person_01", (0, 1, 2)), ("Berta", (3,))],
        [("person_01", (0,)), ("person_02", (2, 3)), ("Anna", (1,))],
        [("Clara", (0, 1)), ("person_02", (2, 3))],
        [],
    ],
    ids=["merge", "drop", "assign", "split", "rename", "drop all"],
)
def test_what_was_undone_leaves_the_people_of_all_videos_as_they_were(gallery, edit):
    before = people(gallery)
    follow_edits(gallery, video("one"), edited(*edit), edited="before")
    run(gallery, "one", edited(*edit))  # `render` between the edit and `undo`
    follow_edits(gallery, video("one"), edited(*AS_ANALYSED), restored="before")
    assert run(gallery, "one", [1, 2]) == {"person_01": 1, "person_02": 2}
    assert people(gallery) == before


def test_an_id_that_was_given_up_and_is_back(gallery):
    follow_edits(gallery, video("one"), edited(("person_01", (0, 1, 2, 3))), edited="before")
    gallery.unite("P0001", "P0002")
    assert gallery.person_now("P0002") == "P0001"
    follow_edits(gallery, video("one"), edited(*AS_ANALYSED), restored="before")
    assert gallery.person_now("P0002") == "" and gallery.find("P0002").number == 2


def test_edits_are_undone_one_after_the_other(gallery):
    follow_edits(gallery, video("one"), edited(("person_02", (2, 3))), edited="a")
    follow_edits(gallery, video("one"), [], edited="b")
    follow_edits(gallery, video("one"), edited(("person_02", (2, 3))), restored="b")
    assert people(gallery) == [(1, "", 1), (2, "", 2)]
    follow_edits(gallery, video("one"), edited(*AS_ANALYSED), restored="a")
    assert people(gallery) == [(1, "", 2), (2, "", 2)]


def test_who_was_forgotten_does_not_get_the_number_back(gallery):
    follow_edits(gallery, video("one"), edited(("person_02", (2, 3))), edited="before")
    gallery.forget("P0001")
    assert 1 not in dict(follow_edits(gallery, video("one"), edited(*AS_ANALYSED), restored="before")).values()


def test_the_number_of_edits_is_bounded(gallery):
    for number in range(EDITS_KEPT + 3):
        follow_edits(gallery, video("one"), edited(*AS_ANALYSED), edited=f"timeline {number}")
    with gallery.file.reading() as rows:
        assert rows.execute("SELECT count(DISTINCT edit), min(edit) FROM edits").fetchone() == (EDITS_KEPT, 4)
