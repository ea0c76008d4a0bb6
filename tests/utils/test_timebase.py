from fractions import Fraction

import numpy as np
import pytest

from utils.timebase import format_timestamp, frames_at_rate, snap_rate


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (Fraction(2997, 100), Fraction(30000, 1001)),
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (Fraction(23976, 1000), Fraction(24000, 1001)),
        (Fraction(2398, 100), Fraction(24000, 1001)),
        (Fraction(59940, 1000), Fraction(60000, 1001)),
        (Fraction(30), Fraction(30)),
        (Fraction(29999, 1000), Fraction(30)),
        (Fraction(25001, 1000), Fraction(25)),
        (Fraction(25, 2), Fraction(25, 2)),
        (Fraction(2650, 100), Fraction(2650, 100)),
        (Fraction(1, 5), Fraction(1, 5)),
    ],
)
def test_rates_snap_to_standards_only_when_close(measured: Fraction, expected: Fraction) -> None:
    assert snap_rate(measured) == expected


def test_a_rate_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        snap_rate(Fraction(0))


@pytest.mark.parametrize(
    "rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(25), Fraction(60), Fraction(25, 2)]
)
@pytest.mark.parametrize("base", [Fraction(1, 1000), Fraction(1, 90000), Fraction(1, 15360)])
@pytest.mark.parametrize("first", [0, 10214, -77])
def test_constant_rate_maps_one_to_one_whatever_the_rounding(rate: Fraction, base: Fraction, first: int) -> None:
    for rounding in (round, int):
        pts = np.array([first + rounding(k / rate / base) for k in range(4000)], np.int64)
        end = first + rounding(4000 / rate / base)
        np.testing.assert_array_equal(frames_at_rate(pts, base, end, rate), np.arange(4000))


def test_variable_rate_repeats_frames_to_keep_time() -> None:
    pts = np.array([0, 33, 100, 133, 200], np.int64)  # 33 and 67 ms
    assert frames_at_rate(pts, Fraction(1, 1000), 233, Fraction(30)).tolist() == [0, 1, 1, 2, 3, 3, 4]


def test_faster_frames_than_the_grid_are_left_out() -> None:
    pts = np.arange(0, 100, 10, dtype=np.int64)  # 100 frames/s
    assert frames_at_rate(pts, Fraction(1, 1000), 100, Fraction(50)).tolist() == [1, 3, 5, 7, 9]


def test_a_long_gap_is_filled_with_the_frame_before_it() -> None:
    chosen = frames_at_rate(np.array([0, 40, 1000], np.int64), Fraction(1, 1000), 1040, Fraction(25))
    assert chosen.tolist() == [0] + [1] * 24 + [2]


def test_there_is_always_one_frame_and_frames_are_demanded() -> None:
    assert frames_at_rate(np.array([5], np.int64), Fraction(1, 1000), 5, Fraction(25)).tolist() == [0]
    with pytest.raises(ValueError, match="no frames"):
        frames_at_rate(np.array([], np.int64), Fraction(1, 1000), 5, Fraction(25))


def test_ten_hours_stay_exact() -> None:
    rate, base = Fraction(30000, 1001), Fraction(1, 1_000_000_000)
    frames = 36_000 * 30
    pts = np.arange(frames, dtype=np.int64) * 100_100_000 // 3
    chosen = frames_at_rate(pts, base, frames * 100_100_000 // 3, rate)
    np.testing.assert_array_equal(chosen, np.arange(frames))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.2, "00-00-03.200"), (0.0, "00-00-00.000"), (59.9996, "00-01-00.000"), (3723.004, "01-02-03.004"),
     (360000.0, "100-00-00.000")],
)  # fmt: skip
def test_timestamps(seconds: float, text: str) -> None:
    assert format_timestamp(seconds) == text
