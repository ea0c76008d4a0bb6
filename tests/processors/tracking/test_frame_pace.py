"""Times as numbers of frames at the usual frame rates, and the numbering of frames by their times."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from processors.faces.tracklet_maker import least_frames
from processors.tracking.following import BLIND_S, POSSIBLE_S
from processors.tracking.frame_pace import FramePace, FrameTicks
from processors.tracking.track import COAST_S
from processors.tracking.tracker_monitor import INTERVALS_S

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("rate", "stride", "calm", "coast_or_blind", "possible", "intervals", "shortest"),
    [
        (12.5, 1, 3, 3, 12, (80, 40, 20, 10), 3),
        (24, 1, 3, 3, 12, (80, 40, 20, 10), 3),
        (25, 1, 3, 3, 12, (80, 40, 20, 10), 3),
        (30, 1, 3, 3, 12, (80, 40, 20, 10), 3),
        (50, 2, 6, 6, 24, (160, 80, 40, 20), 6),
        (60, 2, 6, 6, 24, (160, 80, 40, 20), 6),
        (100, 4, 12, 12, 48, (320, 160, 80, 40), 12),
        (1, 1, 3, 3, 12, (80, 40, 20, 10), 3),
    ],
)
def test_the_times_of_tracking_in_frames(
    rate: float, stride: int, calm: int, coast_or_blind: int, possible: int, intervals: tuple[int, ...], shortest: int
) -> None:
    pace = FramePace(rate)
    assert (pace.follow_stride, pace.calm_stride) == (stride, calm)
    assert pace.frames(COAST_S) == pace.frames(BLIND_S) == coast_or_blind
    assert pace.frames(POSSIBLE_S) == possible
    assert tuple(pace.frames(seconds) for _, seconds in INTERVALS_S) == intervals
    assert least_frames(pace) == shortest


@pytest.mark.parametrize("rate", [50, 60, 100, 120])
def test_more_frames_a_second_mean_hardly_more_steps(rate: float) -> None:
    pace = FramePace(rate)
    assert rate / pace.follow_stride <= 30 and rate / pace.calm_stride <= 10


def ticks(rate: Fraction, time_base: Fraction, times: list[int]) -> list[int]:
    numbering = FrameTicks(rate, time_base)
    return [numbering.next(pts) for pts in times]


@pytest.mark.parametrize(
    "rate", [Fraction(25, 2), Fraction(24000, 1001), Fraction(25), NTSC, Fraction(50), Fraction(60)]
)
@pytest.mark.parametrize("time_base", [Fraction(1, 1000), Fraction(1, 90000)])
def test_at_a_constant_rate_ticks_are_frame_numbers(rate: Fraction, time_base: Fraction) -> None:
    times = [round(frame / (rate * time_base)) for frame in range(7, 5000)]
    assert ticks(rate, time_base, times) == list(range(len(times)))


def test_jitter_of_less_than_half_a_frame_changes_nothing() -> None:
    times = [40 * frame + (9 if frame % 3 else -9) for frame in range(100)]
    assert ticks(Fraction(25), Fraction(1, 1000), times) == list(range(100))


def test_where_frames_come_slowly_ticks_count_the_time() -> None:
    assert ticks(Fraction(60), Fraction(1, 60), [5, 6, 18, 30, 31]) == [0, 1, 13, 25, 26]


def test_where_frames_come_quickly_each_is_a_tick() -> None:
    found = ticks(Fraction(25), Fraction(1, 1000), [0, 5, 10, 15, 55])
    assert found == [0, 1, 2, 3, 4]
    assert all(b > a for a, b in itertools.pairwise(found))
