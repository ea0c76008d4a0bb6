"""Converts times to numbers of frames of one video: looks at faces are paced by time, not by the frame rate.

All constants of tracking were found at about 25 frames a second. A video with a multiple of that rate shows the same
motion in smaller steps, so its faces need no more looks a second; boxes in between are interpolated. At rates that are
nearer to 25 than to 50, and at lower ones, every frame is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

LOOK_S = 0.04
"""time from one look at a face to the next while it moves: each frame at 25 frames a second"""

CALM_LOOK_S = 0.12
"""the same while all faces are calm; boxes in between are interpolated"""


@dataclass(frozen=True, slots=True)
class FramePace:
    """The frame rate of a video as tracking needs it.

    rate: nominal, frames per second, > 0. look_stride, calm_stride: frames from one look at the faces to the next,
    about `LOOK_S` and `CALM_LOOK_S`.
    """

    rate: float
    look_stride: int = field(init=False)
    calm_stride: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "look_stride", max(1, round(LOOK_S * self.rate)))
        object.__setattr__(self, "calm_stride", self.frames(CALM_LOOK_S))

    def frames(self, seconds: float) -> int:
        """A time of tracking as a number of frames, at least 1: so many looks as it has at 25 frames a second."""
        return max(1, round(seconds / LOOK_S)) * self.look_stride


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
