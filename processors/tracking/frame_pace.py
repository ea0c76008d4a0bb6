"""Seconds as numbers of frames of one video: how often faces are looked at follows time, not the frame rate.

All constants of tracking were found at 25 frames a second. A video with more frames shows the same motion in smaller
steps, so its faces need no more looks a second; what lies between two looks is interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

LOOK_S = 0.04
"""time from one look at a face to the next while it moves: each frame at 25 frames a second, and below"""

CALM_LOOK_S = 0.12
"""the same while all faces are calm; boxes in between are interpolated"""


@dataclass(frozen=True, slots=True)
class FramePace:
    """The frame rate of a video as tracking needs it.

    rate: nominal, frames per second, > 0. look_stride, calm_stride: frames from one look at the faces to the next,
    `LOOK_S` and `CALM_LOOK_S`.
    """

    rate: float
    look_stride: int = field(init=False)
    calm_stride: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "look_stride", self.frames(LOOK_S))
        object.__setattr__(self, "calm_stride", self.frames(CALM_LOOK_S))

    def frames(self, seconds: float) -> int:
        """The number of frames that is nearest to a time, at least 1."""
        return max(1, round(seconds * self.rate))


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
