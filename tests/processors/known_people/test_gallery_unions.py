"""People who got two numbers, in the gallery: what makes one of them, what keeps them two, and how to take it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import GalleryFace, PersonOfVideo
from processors.known_people.gallery_videos import unlink_appearance
from tests.processors.known_people.people import linked, run, vector, video


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery(tmp_path / "gallery.sqlite") as opened:
        yield opened


def looks(share: float, seed: int) -> list[PersonOfVideo]:
    """One person whose faces resemble, to that share, the person 2 instead of the person 1."""
    mixed = (1 - share) * vector(1, seed, 0.1) + share * vector(2, seed, 0.1)
    face = GalleryFace((mixed / np.linalg.norm(mixed)).astype(np.float32), 0.95, b"", 0)
    return [PersonOfVideo("person_01", (0,), 10.0, 1, (face,))]


def two_numbers(gallery: Gallery) -> None:
    """One person who looks different in two videos, and has two numbers."""
    assert run(gallery, "one", looks(0.25, 1)) == {"person_01": 1}
    assert run(gallery, "two", looks(0.75, 2)) == {"person_01": 2}


def test_a_video_shows_that_two_numbers_are_one_person(gallery: Gallery, caplog: pytest.LogCaptureFixture) -> None:
    two_numbers(gallery)
    with caplog.at_level("INFO"):
        assert run(gallery, "three", looks(0.5, 3)) == {"person_01": 1}
    assert "P0001 and P0002 are one person, P0001 from now on" in caplog.text
    assert gallery.names_of(video("two")) == {"person_01": (1, "")}
    (person,) = gallery.people()
    assert [a.decided for a in person.appearances] == ["auto"] * 3
    state = gallery.state
    for number, (name, share) in enumerate((("one", 0.25), ("two", 0.75), ("three", 0.5)), 1):
        assert run(gallery, name, looks(share, number)) == {"person_01": 1}
    assert gallery.state == state
    assert gallery.forget("P0001").faces == 3
    assert gallery.people() == []


def test_the_name_of_one_of_two_numbers_holds_for_the_person(gallery: Gallery) -> None:
    two_numbers(gallery)
    gallery.name("P0002", "Berta")
    found = linked(gallery, "three", looks(0.5, 3))
    assert [(one.number, one.name) for one in found] == [(2, "Berta")]
    assert gallery.names_of(video("one")) == {"person_01": (2, "Berta")}


def test_two_numbers_with_two_names_stay_two_people(gallery: Gallery) -> None:
    two_numbers(gallery)
    gallery.name("P0001", "Anna")
    gallery.name("P0002", "Berta")
    assert run(gallery, "three", looks(0.5, 3)) == {"person_01": 3}
    assert run(gallery, "four", looks(0.3, 4)) == {"person_01": 1}
    assert [person.name for person in gallery.people()] == ["Anna", "Berta", ""]


def test_what_a_video_united_can_be_taken_apart_for_good(gallery: Gallery) -> None:
    two_numbers(gallery)
    run(gallery, "three", looks(0.5, 3))
    assert unlink_appearance(gallery, "two", "person_01") == 3
    assert gallery.apart() == {(1, 3)}
    run(gallery, "three", looks(0.5, 3))
    run(gallery, "two", looks(0.75, 2))
    run(gallery, "four", looks(0.5, 4))
    assert gallery.names_of(video("two")) == {"person_01": (3, "")}
    assert {person.number: len(person.appearances) for person in gallery.people()} == {1: 3, 3: 1}


def test_two_numbers_seen_in_one_frame_stay_two_people(gallery: Gallery) -> None:
    one, other = looks(0.25, 1)[0], looks(0.75, 2)[0]
    both = [one, replace(other, label="person_02", tracklets=(1,))]
    run(gallery, "one", both, together=[("person_01", "person_02")])
    assert run(gallery, "two", looks(0.5, 3)) == {"person_01": 3}
    assert run(gallery, "three", looks(0.3, 4)) == {"person_01": 1}
    assert {person.number for person in gallery.people()} >= {1, 2}
