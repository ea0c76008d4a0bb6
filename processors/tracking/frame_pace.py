"""Converts times to numbers of frames of one video: faces are followed by time, not by frame number.

All constants of tracking were found at about 25 frames a second. A video with a multiple of that rate shows the same
motion in smaller steps, so its faces need not be followed more often; boxes in between are interpolated. At rates
nearer to 25 than to 50, and at lower ones, faces are followed into every frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

FOLLOW_INTERVAL_S = 0.04
"""time between two frames into which a moving face is followed: each frame at 25 frames a second"""

CALM_FOLLOW_INTERVAL_S = 0.12
"""the same while all faces are calm; boxes in between are interpolated"""


@dataclass(frozen=True, slots=True)
class FramePace:
    """The frame rate of a video as tracking needs it.

    rate: nominal, frames per second, > 0. follow_stride, calm_stride: every how many frames faces are followed, about
    `FOLLOW_INTERVAL_S` and `CALM_FOLLOW_INTERVAL_S`.
    """

    rate: float
    follow_stride: int = field(init=False)
    calm_stride: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "follow_stride", max(1, round(FOLLOW_INTERVAL_S * self.rate)))
        object.__setattr__(self, "calm_stride", self.frames(CALM_FOLLOW_INTERVAL_S))

    def frames(self, seconds: float) -> int:
        """A time of tracking as a number of frames, at least 1: as many steps as at 25 frames a second."""
        return max(1, round(seconds / FOLLOW_INTERVAL_S)) * self.follow_stride


class FrameTicks:
    """Numbers the frames of one video by their times, so that intervals are right at a variable frame rate, too.

    A tick is the nominal interval of two frames. At a constant rate, jitter included, ticks are frame numbers; where
    frames come more slowly the numbers leap, and where they come more quickly each frame is a tick.
    """

    def __init__(self, rate: Fraction, time_base: Fraction) -> None:
        """rate: nominal, frames per second. time_base: seconds per unit of pts."""
        self._per_pts = float(rate * time_base)
        self._last: tuple[int, int] | None = None

    def next(self, pts: int) -> int:
        """The tick of the next frame, 0 for the first one; they increase strictly."""
        tick = 0
        if self._last is not None:
            before, last_pts = self._last
            tick = before + max(1, round((pts - last_pts) * self._per_pts))
        self._last = tick, pts
        return tick
