"""Close-ups: where the window lies, what the true boxes become, and what counts as followed or run away."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.quality.close_ups import CloseUp, Followed, close_up, judge
from tests.material.factories import tracklet

BOX = np.array([300.0, 100, 380, 200])


def test_the_face_gets_its_share_of_the_height() -> None:
    subject = dataclasses.replace(tracklet(0, range(5, 15)), boxes=np.tile(BOX, (10, 1)).astype(np.float32))
    plan = close_up(subject, 1280, 720, 1.25)
    assert (plan.start, plan.end, plan.window[3]) == (5, 15, 80)
    assert sorted(plan.boxes) == list(range(10))
    true = plan.boxes[0]
    assert true[3] - true[1] == pytest.approx(1.25 * plan.size[1])
    assert (true[:2] + true[2:]) / 2 == pytest.approx(np.array(plan.size) / 2, abs=10)


def test_the_window_stays_inside_the_frame() -> None:
    boxes = np.tile(np.array([-20, 600, 80, 720]), (10, 1)).astype(np.float32)
    x, y, wide, high = close_up(dataclasses.replace(tracklet(0, range(10)), boxes=boxes), 1280, 720, 0.8).window
    assert x == 0 and y + high <= 720 and wide <= 1280
    assert not {x % 2, y % 2, wide % 2, high % 2} - {0}


def test_a_box_that_fits_is_found_and_one_that_is_far_too_high_has_run_away() -> None:
    true = np.array([100.0, -40, 400, 400])
    boxes = np.stack([true, true + 20, [-100, -300, 500, 500], [500, 0, 600, 100]]).astype(np.float32)
    found = dataclasses.replace(tracklet(0, range(4)), boxes=boxes)
    plan = CloseUp(0, 5, (0, 0, 64, 36), (640, 360), dict.fromkeys(range(5), true))
    assert judge(plan, [found]) == Followed(frames=5, found=2, runaway=1)


def test_a_face_that_is_mostly_outside_is_not_demanded() -> None:
    plan = CloseUp(0, 1, (0, 0, 64, 36), (640, 360), {0: np.array([-300.0, 0, 100, 300])})
    assert judge(plan, []) == Followed(0, 0, 0)
    assert Followed(1, 1, 0) + Followed(2, 1, 1) == Followed(3, 2, 1)
