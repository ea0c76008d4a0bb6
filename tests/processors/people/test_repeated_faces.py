"""One person beside a screen or a mirror that shows them, and others who are never taken for that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from config import IdentitySettings
from core.types import FloatArray, Identity, Timeline, Tracklet
from processors.people.doubt import find_doubts
from processors.people.repeated_faces import motion_agreement, repeated_tracklets
from processors.people.tracklet_grouping import group_tracklets
from tests.material.factories import FACE_POINTS, face_analysis, tracklet, video_info

RATE, FRAMES = 25, 100
MIRRORED = [1, 0, 2, 4, 3]
FACE = np.eye(1, 8, dtype=np.float32)


def movement(seed: int, size: float = 0.05) -> FloatArray:
    """(FRAMES + 60, 5, 2): how the landmarks of somebody who speaks and turns depart from a plain face."""
    steps = np.random.default_rng(seed).normal(0, 1, (FRAMES + 60 + 14, 5, 2))
    smooth = np.apply_along_axis(lambda column: np.convolve(column, np.ones(15) / 15, "valid"), 0, steps)
    return np.asarray(size * smooth / smooth.std(), np.float32)


def shown(number: int, moves: FloatArray, left: float, height: float, *, delay: int = 0, **given: Any) -> Tracklet:
    """Somebody in a box of `height` px at `left`, as they moved `delay` frames ago; given: of `tracklet`."""
    first = 30 - delay
    points = FACE_POINTS + moves[first : first + FRAMES]
    if given.pop("mirrored", False):
        points = points[:, MIRRORED] * np.array([-1, 1], np.float32) + np.array([1, 0], np.float32)
    frames = given.pop("frames", range(FRAMES))
    box = np.array([left, 50, left + height, 50 + height], np.float32)
    landmarks = (box[:2] + height * points)[np.array(frames)]
    return tracklet(number, frames, box, landmarks=landmarks, **{"embeddings": np.repeat(FACE, 4, 0), **given})


def repeated(*tracklets: Tracklet) -> list[bool]:
    together = np.array([(i, j) for i in range(len(tracklets)) for j in range(i + 1, len(tracklets))], np.int64)
    analysis = face_analysis(tracklets, FRAMES)
    return [one >= 0 for one in repeated_tracklets(tracklets, together.reshape(-1, 2), analysis)]


@pytest.mark.parametrize("changes", [{}, {"delay": 10}, {"delay": -25}, {"mirrored": True}])
def test_of_somebody_seen_twice_the_larger_face_counts(changes: dict[str, Any]) -> None:
    speaker, screen = shown(0, movement(1), 20, 40), shown(1, movement(1), 200, 90, **changes)
    assert repeated(speaker, screen) == [True, False]
    assert repeated(screen, speaker) == [False, True]


def test_two_who_are_alike_but_move_by_themselves_stay_two() -> None:
    assert repeated(shown(0, movement(1), 20, 40), shown(1, movement(2), 200, 90)) == [False, False]


def test_two_who_move_alike_but_are_not_alike_stay_two() -> None:
    other = np.repeat(np.array([[0.3, 0.95, 0, 0, 0, 0, 0, 0]], np.float32), 4, 0)
    assert repeated(shown(0, movement(1), 20, 40), shown(1, movement(1), 200, 90, embeddings=other)) == [False, False]


def test_portraits_do_not_move() -> None:
    assert repeated(shown(0, movement(1, 1e-4), 20, 40), shown(1, movement(1, 1e-4), 200, 90)) == [False, False]
    assert repeated(shown(0, movement(1), 20, 40), shown(1, movement(1, 0.0), 200, 90)) == [False, False]


def test_the_face_that_is_seen_throughout_counts_if_the_larger_one_is_not() -> None:
    long, brief = shown(0, movement(1), 20, 40), shown(1, movement(1), 200, 90, frames=range(60))
    assert repeated(long, brief) == [False, True]
    early, late = (shown(k, movement(1), 20 + 180 * k, 40, frames=range(20 * k, 80 + 20 * k)) for k in (0, 1))
    assert repeated(early, late) == [False, False]


def test_too_short_a_time_says_nothing() -> None:
    first, second = (shown(k, movement(1), 20 + 180 * k, 40, frames=range(45)) for k in (0, 1))
    assert motion_agreement(first, second, RATE) == 0


CALL: dict[str, Any] = {"shot": 1, "embeddings": np.repeat(np.eye(1, 8, 1, dtype=np.float32), 4, 0)}
"""another speaker of a call, seen in the next shot"""


@pytest.mark.parametrize("frames", [range(30), range(FRAMES)])
def test_where_somebody_is_seen_twice_for_sure_likeness_tells_of_others_who_are_seen_briefly_or_hardly_move(
    frames: range,
) -> None:
    sure = shown(0, movement(1), 20, 40), shown(1, movement(1), 200, 90)
    still = movement(2, 0.001)
    others = shown(2, still, 20, 40, frames=frames, **CALL), shown(3, still[5:], 200, 90, frames=frames, **CALL)
    assert repeated_in_shots(*sure, *others) == [True, False, True, False]
    assert repeated_in_shots(*others) == [False, False]


def test_who_clearly_moves_by_themselves_is_somebody_else_wherever_copies_are_seen() -> None:
    sure = shown(0, movement(1), 20, 40), shown(1, movement(1), 200, 90)
    others = shown(2, movement(2), 20, 40, **CALL), shown(3, movement(3), 200, 90, **CALL)
    assert repeated_in_shots(*sure, *others) == [True, False, False, False]


def repeated_in_shots(*tracklets: Tracklet) -> list[bool]:
    together = [(i, i + 1) for i in range(0, len(tracklets), 2)]
    analysis = face_analysis(tracklets, FRAMES)
    return [one >= 0 for one in repeated_tracklets(tracklets, np.array(together, np.int64), analysis)]


def test_somebody_beside_a_screen_is_one_person() -> None:
    screen, other = (shown(1, movement(seed), 200, 90, delay=10) for seed in (1, 2))
    assert people(shown(0, movement(1), 20, 40), screen) == [-1, 0]
    assert sorted(people(shown(0, movement(1), 20, 40), other)) == [0, 1]


def test_whose_repetition_an_unknown_tracklet_is_can_be_told() -> None:
    speaker, screen, other = (
        shown(0, movement(1), 20, 40),
        shown(1, movement(1), 200, 90, delay=10),
        shown(2, movement(2), 120, 40),
    )
    analysis = face_analysis((speaker, screen, other), FRAMES, video=video_info(width=320, height=180))
    timeline = Timeline((Identity("Anna", (1,), ()),), (0, 2))
    found = find_doubts(analysis, timeline)
    assert found.repeated == {0: "Anna"} and found.renamed({"Anna": "Berta"}).repeated == {0: "Berta"}
    assert not find_doubts(analysis, Timeline((Identity("Anna", (0, 1), ()),), (2,))).repeated


def people(*tracklets: Tracklet) -> list[int]:
    analysis = face_analysis(tracklets, FRAMES, video=video_info(width=320, height=180))
    return [int(label) for label in group_tracklets(tracklets, analysis, IdentitySettings()).labels]
