"""Integer pts, exact frame rates, and the constant-rate grid of the clips."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_NTSC_BASES = (12, 15, 24, 30, 48, 60, 72, 90, 96, 120, 144, 240)
_SNAP_TOLERANCE = Fraction(1, 1000)


def snap_rate(rate: Fraction) -> Fraction:
    """The integer or NTSC rate (n * 1000/1001) nearest to `rate` if it is within 0.1 %, else `rate` itself.

    Headers often hold a measured or rounded rate (2997/100 for 30000/1001). rate: frames per second.

    Raises:
        ValueError: the rate is not positive.
    """
    if rate <= 0:
        raise ValueError(f"a frame rate must be positive, not {rate}")
    standards = [Fraction(n * 1000, 1001) for n in _NTSC_BASES]
    if round(rate) > 0:
        standards.append(Fraction(round(rate)))
    nearest = min(standards, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= rate * _SNAP_TOLERANCE else rate


def frames_at_rate(
    frame_pts: NDArray[np.int64], time_base: Fraction, end_pts: int, rate: Fraction
) -> NDArray[np.int64]:
    """Which source frame each frame of a constant-rate clip of [frame_pts[0], end_pts) shows.

    frame_pts: (N,) int64, strictly increasing, in `time_base`. rate: clip frames per second.

    Returns (M,) int64 indexes into `frame_pts`, M = duration * rate rounded half up, at least 1. Clip frame k shows the
    last source frame that begins before the *middle* of its interval: so a constant-rate source whose pts were rounded
    to a coarse time base maps one to one, and no frame is off by more than half an interval.

    Raises:
        ValueError: there are no frames.
    """
    if len(frame_pts) == 0:
        raise ValueError("no frames to choose from")
    start = int(frame_pts[0])
    interval = 1 / (rate * time_base)
    count = max(1, int((end_pts - start) / interval + Fraction(1, 2)))
    odd = 2 * np.arange(count, dtype=np.int64) + 1
    middles = start + odd * interval.numerator // (2 * interval.denominator)
    return np.asarray(np.maximum(np.searchsorted(frame_pts, middles, side="right") - 1, 0), np.int64)


def format_timestamp(seconds: float) -> str:
    """Format `seconds` >= 0 for a file name, hours-minutes-seconds.milliseconds: 3.2 -> "00-00-03.200"."""
    total_ms = max(0, round(seconds * 1000))
    minutes, ms = divmod(total_ms, 60_000)
    return f"{minutes // 60:02d}-{minutes % 60:02d}-{ms // 1000:02d}.{ms % 1000:03d}"
