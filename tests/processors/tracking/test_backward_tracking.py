"""Faces followed backwards through kept frames to where they first appeared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.models.networks.model_spec import ScoreScale
from core.types import Detections
from processors.tracking.backward_tracking import MAX_GROWTH, BackwardTracker
from processors.tracking.frame_pace import FramePace
from processors.tracking.track import Track

SIDE = 40.0


def box_at(x, side=SIDE):
    return np.array([x, 50, x + side, 50 + side], np.float32)


SCALE = ScoreScale(possible=0.2, seen=0.4, calm=0.8, sure=0.9, sure_track=0.9)


class ScriptedRefiner:
    """A face that is at `x` px in frame `x // 4`; `refine` finds it where it is asked for within half its size."""

    score_scale = SCALE

    def __init__(self, visible, scores=None, sides=None):
        self.visible, self.scores, self.sides = visible, scores or {}, sides or {}
        self.asked = []

    def refine(self, frame, boxes, rolls):
        self.asked.append(frame)
        truth = box_at(4.0 * frame, self.sides.get(frame, SIDE))
        near = abs(float(boxes[0, 0] - truth[0])) < SIDE / 2
        score = self.scores.get(frame, 0.99) if frame in self.visible and near else 0.01
        return Detections(truth[None], np.array([score], np.float32), np.zeros((1, 5, 2), np.float32))


class Numbered:
    """An image that is its frame number: the detector above needs no more."""

    waiting_bytes = 0

    def __init__(self, frame: int) -> None:
        self._frame = frame

    def __call__(self) -> int:
        return self._frame


def keeping(refiner, frames, rate=25.0):
    """`frames` are kept: those before the one that the tracker is at."""
    backward = BackwardTracker(refiner, 1.0, FramePace(rate))
    for frame in frames:
        image: Any = Numbered(frame)
        backward.history.append(frame, image)
    return backward


def track_at(*frames):
    track = Track(0)
    for frame in frames:
        track.append(frame, box_at(4.0 * frame), 0.99, np.zeros((5, 2), np.float32))
    return track


def nobody(frame, boxes):
    return False


def test_a_newcomer_is_followed_back_to_its_first_frame_and_no_further():
    refiner, track = ScriptedRefiner(visible=range(7, 30)), track_at(20)
    keeping(refiner, range(20)).extend(track, nobody)
    assert list(track.frames) == list(range(7, 21))
    assert [float(box[0]) for box in track.boxes] == [4.0 * frame for frame in range(7, 21)]
    assert refiner.asked[-1] == 6, "the first frame without the face ends it"


def test_rows_that_are_there_are_not_followed_over():
    refiner, track = ScriptedRefiner(visible=range(30)), track_at(10, 20)
    keeping(refiner, range(20)).extend(track, nobody)
    assert list(track.frames) == list(range(10, 21))
    assert min(refiner.asked) == 11


@pytest.mark.parametrize(
    "refiner",
    [
        ScriptedRefiner(visible=range(30), scores={12: SCALE.seen - 0.01}),
        ScriptedRefiner(visible=range(30), sides={12: SIDE * (MAX_GROWTH + 0.1)}),
        ScriptedRefiner(visible=range(30), sides={12: SIDE / (MAX_GROWTH + 0.1)}),
    ],
    ids=["a doubtful score", "a leap in size", "a leap to a small one"],
)
def test_doubt_ends_following_backwards(refiner):
    track = track_at(20)
    keeping(refiner, range(20)).extend(track, nobody)
    assert list(track.frames) == list(range(13, 21))


def test_following_backwards_ends_at_another_track():
    track = track_at(20)
    keeping(ScriptedRefiner(visible=range(30)), range(20)).extend(track, lambda frame, boxes: frame <= 15)
    assert list(track.frames) == list(range(16, 21))


def test_a_gap_is_filled_where_the_face_may_have_been_seen():
    scores = {13: SCALE.possible + 0.01, 15: SCALE.possible - 0.01}
    refiner, track = ScriptedRefiner(visible=range(30), scores=scores), track_at(10, 18)
    keeping(refiner, range(19)).fill_gap(track, lambda frame, boxes: frame == 16)
    assert list(track.frames) == [10, 11, 12, 13, 14, 17, 18]
    assert track.scores[3] == pytest.approx(scores[13])


def test_a_face_elsewhere_fills_no_gap():
    track = track_at(10, 18)
    refiner = SimpleNamespace(
        score_scale=SCALE,
        refine=lambda image, boxes, rolls: Detections(
            boxes + SIDE, np.array([0.99], np.float32), np.zeros((1, 5, 2), np.float32)
        ),
    )
    keeping(refiner, range(19)).fill_gap(track, nobody)
    assert list(track.frames) == [10, 18]


def test_a_track_without_a_gap_is_left_alone():
    refiner, track = ScriptedRefiner(visible=range(30)), track_at(10, 11, 12)
    keeping(refiner, range(13)).fill_gap(track, nobody)
    assert list(track.frames) == [10, 11, 12] and refiner.asked == []


@pytest.mark.parametrize(
    ("seconds", "rate", "kept"), [(0.2, 25.0, 25), (2.0, 25.0, 50), (2.0, 120.0, 64), (1.0, 1.0, 2)]
)
def test_how_many_frames_are_kept(seconds, rate, kept):
    detector: Any = SimpleNamespace()
    backward: Any = BackwardTracker(detector, seconds, FramePace(rate))
    for frame in range(100):
        backward.history.append(frame, Numbered(frame))
    assert len(backward.history) == kept
