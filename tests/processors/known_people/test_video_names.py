from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.types import FaceAnalysis, Identity, Shot, Timeline
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import PersonOfVideo
from processors.known_people.gallery_videos import follow_edits, note_clips
from processors.known_people.known_faces import KnownFaces
from processors.known_people.naming_case import NamingCase, case_of
from processors.known_people.video_names import folders_of, names_from_gallery, names_from_photos
from tests.processors.known_people.people import CURVES, EMBEDDER, photo, use_curve, video
from tests.processors.known_people.test_video_cast import INFO, tracklet

TIMELINE = Timeline((Identity("person_01", (0, 2), ()), Identity("person_02", (1,), ())))


def analysis(first: int, second: int) -> FaceAnalysis:
    """Two people in one frame: the tracklets 0 and 2 are the one's, 1 is the other's."""
    tracklets = (tracklet(0, first, 0, 50, 0), tracklet(1, second, 25, 75, 200), tracklet(2, first, 60, 90, 400))
    return FaceAnalysis(INFO, np.arange(100), (Shot(0, 0, 100, "start"),), tracklets, "dlib", 0)


def case(first: int, second: int) -> NamingCase:
    return case_of(video("one"), EMBEDDER, analysis(first, second), TIMELINE)


def known() -> KnownFaces:
    return KnownFaces(EMBEDDER, CURVES)


def test_names_become_folders_and_hold(tmp_path: Path) -> None:
    with Gallery(tmp_path / "g") as gallery:
        gallery.keep_photos([photo(2, "Anna / B"), photo(3, "Carl")], "/photos", EMBEDDER)
        found = names_from_gallery(gallery, known(), case(1, 2))
        assert [(p.label, p.id, p.name, p.folder, p.match.source) for p in found] == [
            ("person_01", "P0003", "", "person_01", "none"),
            ("person_02", "P0001", "Anna / B", "Anna _ B", "photo"),
        ]
        note_clips(gallery, video("one"), {"Anna _ B": 4})
        state = gallery.state
        again = names_from_gallery(gallery, known(), case(1, 2))
        assert again == found  # similarity and margin included: its own faces are no evidence
        assert gallery.state == state
        follow_edits(
            gallery, video("one"), [PersonOfVideo("person_01", (0, 2)), PersonOfVideo("Anna _ B", (1,), 0.0, 4)]
        )
        seen = gallery.find("P0001").appearances
        assert [(a.folder, a.label, a.clips) for a in seen] == [("one", "Anna _ B", 4)]
        gallery.name("P0003", "Zoe")
        assert [p.folder for p in names_from_gallery(gallery, known(), case(1, 2))] == [
            "Zoe", "Anna _ B",
        ]  # fmt: skip
        assert gallery.apart() == {(1, 3)}  # seen in one frame


def test_names_without_a_gallery(monkeypatch: pytest.MonkeyPatch) -> None:
    use_curve(monkeypatch)
    found = names_from_photos([photo(2, "Berta"), photo(1, "Anna")], EMBEDDER, case(2, 5))
    assert [(p.label, p.id, p.name, p.folder) for p in found] == [
        ("person_01", "", "Berta", "Berta"),
        ("person_02", "", "", "person_02"),
    ]
    assert [p.folder for p in names_from_photos([], EMBEDDER, case(2, 5))] == ["person_01", "person_02"]


def test_the_names_change_nothing_else() -> None:
    before = analysis(1, 2)
    names_from_photos([], EMBEDDER, case_of(video("one"), EMBEDDER, before, TIMELINE))
    assert TIMELINE.people[0].name == "person_01" and len(before.tracklets) == 3


def test_folders_differ() -> None:
    people = [("person_01", "Anna"), ("person_02", ""), ("person_03", "ANNA"), ("person_04", "Unknown")]
    assert folders_of(people) == ["Anna", "person_02", "ANNA (2)", "Unknown (2)"]


def test_of_two_people_of_one_name_the_one_who_is_shown_longest_has_no_number():
    people = [("person_01", "Anna"), ("person_02", ""), ("person_03", "Anna"), ("person_04", "Anna")]
    seconds = {"person_01": 0.6, "person_02": 50.0, "person_03": 13.0, "person_04": 0.6}
    assert folders_of(people, seconds) == ["Anna (2)", "person_02", "Anna", "Anna (3)"]
