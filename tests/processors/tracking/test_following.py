"""Which proposed boxes are believed, on the score scale of the detector that gave the scores."""

from __future__ import annotations

import numpy as np
import pytest

from core.models.networks.model_spec import ScoreScale
from core.types import Detections
from processors.tracking.following import Proposal, accept, is_calm, stays_calm
from processors.tracking.frame_pace import FramePace
from processors.tracking.track import Track

SCALE = ScoreScale(possible=0.1, seen=0.2, calm=0.3, sure=0.4, sure_track=0.3)
BOX = np.array([100, 100, 140, 140], np.float32)


def track(score: float = 0.5) -> Track:
    made = Track(0)
    made.append(0, BOX, score, np.zeros((5, 2), np.float32))
    return made


def proposal(score: float, side: float = 40.0) -> Proposal:
    found = np.array([[120 - side / 2, 120 - side / 2, 120 + side / 2, 120 + side / 2]], np.float32)
    landmarks = np.zeros((1, 5, 2), np.float32)
    return Proposal([track()], BOX[None], Detections(found, np.array([score], np.float32), landmarks))


@pytest.mark.parametrize(("score", "seen", "possible"), [(0.25, True, True), (0.15, False, True), (0.05, False, False)])
def test_a_score_is_read_on_the_scale_of_its_detector(score: float, seen: bool, possible: bool) -> None:
    verdict = accept(proposal(score), SCALE)
    assert (bool(verdict.seen[0]), bool(verdict.possible[0])) == (seen, possible)


@pytest.mark.parametrize(("score", "accepted"), [(0.45, True), (0.35, False)])
def test_only_a_sure_face_may_grow_quickly(score: float, accepted: bool) -> None:
    assert bool(accept(proposal(score, side=50.0), SCALE).seen[0]) == accepted


@pytest.mark.parametrize(("score", "calm"), [(0.35, True), (0.25, False)])
def test_a_calm_face_has_a_calm_score(score: float, calm: bool) -> None:
    offered = proposal(score)
    assert is_calm(track(score), SCALE, FramePace(25.0)) == calm
    assert stays_calm(offered, accept(offered, SCALE), SCALE) == calm
