"""Whose face a tracklet is, by the labels under its boxes."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.labelled_faces import person_of
from tests.material.factories import tracklet
from tests.material.scoring import Labelled

HERE, ELSEWHERE = np.array([0.0, 0, 40, 40]), np.array([100.0, 0, 140, 40])


def labels(*people: str) -> dict[int, Labelled]:
    """One face at the tracklet's place in every frame, somebody else beside it."""
    return {frame: [("other", ELSEWHERE), (name, HERE)] for frame, name in enumerate(people)}


def test_the_person_under_the_boxes_counts() -> None:
    assert person_of(tracklet(), labels("Ann", "Ann"), "crowd") == "crowd/Ann"


def test_clips_of_the_series_share_their_people() -> None:
    found = {person_of(tracklet(), labels("Ann"), clip) for clip in ("friends_12", "friends_26")}
    assert len(found) == 1


def test_a_tracklet_that_mixes_people_is_nobodys() -> None:
    assert person_of(tracklet(), labels("Ann", "Ann", "Ben"), "crowd") is None
    assert person_of(tracklet(), labels(*["Ann"] * 4, "Ben"), "crowd") == "crowd/Ann", "one row in five may be off"


def test_a_face_beside_the_boxes_and_one_not_to_be_cared_for_are_nobodys() -> None:
    assert person_of(tracklet(), {0: [("other", ELSEWHERE)]}, "crowd") is None
    assert person_of(tracklet(), labels("-"), "crowd") is None
    assert person_of(tracklet(), {}, "crowd") is None
