"""Courses of contrast that are quick dips between two images, and courses that are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from processors.shots.dip import Dip, find_dip

STILL = [50.0] * 8
COURSE = [*STILL, 33.0, 17.0, 0.5, 10.0, 20.0, 30.0, 40.0, 40.0, 41.0]
"""the last whole frame is 7, the flattest one 10, the first whole one again 14"""


def two_images(flattest: int) -> Callable[[int, int], float]:
    """Frames on one side of the flattest one match each other, those on different sides do not."""
    return lambda one, other: 0.02 if (one < flattest) == (other < flattest) else 0.9


def dip_in(
    contrasts: list[float], rate: float = 25.0, mismatch: Callable[[int, int], float] | None = None
) -> Dip | None:
    return find_dip(np.array(contrasts), rate, mismatch or two_images(10))


def test_a_dip_has_its_last_whole_frame_its_flattest_and_its_first_whole_one() -> None:
    assert dip_in(COURSE) == Dip(7, 10, 14)


def test_a_dip_is_over_only_when_the_contrast_rises_no_more() -> None:
    assert dip_in(COURSE[:-1]) is None


@pytest.mark.parametrize(
    "contrasts",
    [
        pytest.param([*STILL, *STILL], id="level"),
        pytest.param([*STILL, 33.0, 25.0, 33.0, 50.0, 50.0, 50.0], id="half faded"),
        pytest.param([*STILL, 33.0, 17.0, 0.5, 0.5, 0.5, 0.5], id="no image after"),
        pytest.param([0.5] * 8 + [10.0, 30.0, 40.0, 40.0, 40.0], id="no image before"),
        pytest.param([value / 5 for value in COURSE], id="dark"),
        pytest.param([*STILL, 0.5, 0.5, 50.0, 50.0, 50.0], id="nothing half faded"),
    ],
)
def test_other_courses_are_no_dips(contrasts: list[float]) -> None:
    assert dip_in(contrasts) is None


def test_a_slow_fade_is_no_dip() -> None:
    assert dip_in(COURSE, rate=4.0) is None


def test_the_image_before_must_not_come_back() -> None:
    assert dip_in(COURSE, mismatch=lambda one, other: 0.3) is None


def test_half_faded_images_stay_in_their_place() -> None:
    def moving(one: int, other: int) -> float:
        return min(0.15 * abs(one - other), 1.0)

    assert dip_in(COURSE, mismatch=moving) is None
