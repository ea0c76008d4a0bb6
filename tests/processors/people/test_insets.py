"""Whoever stays in place beside a wipe keeps its frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from config import ClipSettings
from core.types import FaceAnalysis, Segment, Shot, Tracklet, Transition
from processors.people.insets import staying
from processors.people.segments import pad_and_split
from tests.material.factories import face_analysis, tracklet

BEFORE, AFTER = Segment("a", 0, 0, 100, (0,)), Segment("a", 1, 100, 200, (1,))


def wipe(*tracklets: Tracklet) -> FaceAnalysis:
    """The image moves from frame 90 to 111."""
    found = face_analysis(pts=np.arange(200) * 512, cuts=[100])
    shots = (Shot(0, 0, 100, "start", mixed_last=10), Shot(1, 100, 200, "wipe", mixed_first=12))
    return replace(found, shots=shots, tracklets=tracklets)


def in_place(hidden: range = range(0)) -> FaceAnalysis:
    earlier, later = tracklet(0, range(100)), tracklet(1, range(100, 200), shot=1)
    scores = later.scores.copy()
    scores[list(hidden)] = 0
    return wipe(earlier, replace(later, scores=scores))


def test_somebody_in_an_inset_is_shown_throughout_and_nobody_else() -> None:
    film = in_place()
    other = Segment("b", 1, 100, 200, (1,))
    assert staying(film, [BEFORE, other, AFTER]) == {("a", 1)}
    clips = pad_and_split(film, [BEFORE, other, AFTER], ClipSettings())
    assert [(c.person, c.start, c.end) for c in clips] == [("a", 0, 100), ("b", 112, 200), ("a", 100, 200)]


def test_whoever_moves_along_does_not_stay() -> None:
    film = in_place()
    moved = replace(film.tracklets[1], boxes=film.tracklets[1].boxes + 200)
    assert staying(wipe(film.tracklets[0], moved), [BEFORE, AFTER]) == set()


def test_whoever_is_out_of_sight_does_not_stay() -> None:
    assert staying(in_place(hidden=range(10)), [BEFORE, AFTER]) == set()
    assert staying(in_place(), [BEFORE, replace(AFTER, start=101)]) == set()
    assert staying(in_place(), [BEFORE, replace(AFTER, end=108)]) == set()


@pytest.mark.parametrize("transition", ["dissolve", "cut"])
def test_only_wipes_leave_a_part_of_the_image_alone(transition: Transition) -> None:
    film = in_place()
    shots = (film.shots[0], replace(film.shots[1], transition=transition))
    assert staying(replace(film, shots=shots), [BEFORE, AFTER]) == set()
