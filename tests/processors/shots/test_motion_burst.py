"""Runs of frames in which the image changes far more than around them, found from how much it changes."""

from __future__ import annotations

import numpy as np
import pytest

from processors.shots.motion_burst import WHOLE_IMAGE, Burst, MotionBursts

RATE = 25.0
CALM = [1.0] * 30


def bursts_in(course: list[float], moving_cells: int = 8) -> list[Burst]:
    """course: change of each frame, in the first `moving_cells` of eight cells; the others stay calm."""
    bursts = MotionBursts(RATE)
    found = []
    for change in course:
        cells = np.full(8, min(change, 1.0), np.float32)
        cells[:moving_cells] = change
        found.append(bursts.add(cells, float(cells.mean())))
    return [burst for burst in found if burst is not None]


def test_a_burst_begins_and_ends_with_the_motion() -> None:
    assert bursts_in([*CALM, 5, 12, 20, 20, 12, 6, *CALM]) == [Burst(30, 36, 1.0)]


def test_an_image_that_shrinks_away_in_a_corner_belongs_to_it() -> None:
    assert bursts_in([*CALM, 5, 20, 40, 20, 8, 4, 3, 2, *([0.3] * 30)]) == [Burst(30, 38, 1.0)]


def test_a_gesture_changes_a_part_of_the_image() -> None:
    (burst,) = bursts_in([*CALM, *([40] * 8), *CALM], moving_cells=3)
    assert burst.coverage < WHOLE_IMAGE


@pytest.mark.parametrize(
    ("course", "why"),
    [
        ([*CALM, 60, 60, *CALM], "a cut, or a flash"),
        ([*CALM, *([20] * 80), *CALM], "too long"),
        ([10.0] * 120, "motion that goes on"),
        ([*([10.0] * 30), *([14.0] * 10), *([10.0] * 30)], "hardly more than before"),
        ([20.0] * 10 + [1.0] * 30, "in motion from the first frame"),
    ],
)
def test_what_is_no_burst(course: list[float], why: str) -> None:
    assert bursts_in(course) == [], why


def test_a_burst_reaches_little_beyond_a_wipe_that_is_known() -> None:
    assert Burst(90, 140, 0.9).within(Burst(95, 110, 1.0), 8) == Burst(90, 118, 0.9)
    assert Burst(100, 108, 0.9).within(Burst(95, 110, 1.0), 8) == Burst(100, 108, 0.9)
