"""One rule for the clocks of video and audio streams: which times in a file are wrong, and what replaces them."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from core.media.media_input import CLOCK_RESET_S, LONGEST_HOLE_S

T = TypeVar("T")


class TimeFault(enum.Enum):
    """What is wrong with the time of one frame in the file."""

    MISSING = "missing"
    STRAY = "stray"
    """far from the frame before, while the next frame continues from there: one wrong value, not a new clock"""
    NEW_CLOCK = "new clock"
    """the times restart, as in joined recordings: more than `CLOCK_RESET_S` back or `LONGEST_HOLE_S` ahead"""
    DISORDER = "disorder"
    """not after the frame before, by less than a new clock"""


@dataclass(frozen=True, slots=True)
class ClockRepair:
    """The clock of a stream after one of its frames; times are in ticks of the stream's time base.

    reset, hole: `CLOCK_RESET_S` and `LONGEST_HOLE_S` in ticks.
    interval: ticks from the frame before to one whose time has to be made up; None: times are moved to the common
        clock but never made up (the samples of audio are counted instead).
    known_shifts: shifts that the clocks to come have, in order; None: a new clock continues one interval after the old.
    last: repaired time of the latest frame that has one.
    shift: what is added to the times in the file.
    """

    reset: int
    hole: int
    interval: int | None
    start: int = 0
    """time of the first frame if it has none"""
    known_shifts: tuple[int, ...] | None = None
    last: int | None = None
    shift: int = 0

    def is_leap(self, stored: int | None) -> bool:
        """Whether `step` needs the time of the frame after this one."""
        return stored is not None and self.last is not None and abs(stored + self.shift - self.last) > self.reset

    def step(self, stored: int | None, following: int | None = None) -> ClockStep:
        """The next frame: its time in the file and, if `is_leap`, that of the frame after it.

        The repaired time is after `last`; where nothing is made up it may be None or out of order.
        """
        time = None if stored is None else stored + self.shift
        fault, shift, shifts = self._fault(time, following), self.shift, self.known_shifts
        if fault is TimeFault.NEW_CLOCK:
            assert stored is not None
            if shifts is None:
                shift = (self.last or 0) + (self.interval or 0) - stored
            elif shifts:
                shift, shifts = shifts[0], shifts[1:]
            time = stored + shift
        elif fault is not None and self.interval is None:
            time = time if fault is TimeFault.DISORDER else None
        elif fault is TimeFault.DISORDER:
            time = (self.last or 0) + 1
        elif fault is not None:
            time = self.start if self.last is None else self.last + (self.interval or 0)
        after = replace(self, last=self.last if time is None else time, shift=shift, known_shifts=shifts)
        return ClockStep(after, time, shift, fault)

    def _fault(self, time: int | None, following: int | None) -> TimeFault | None:
        if time is None:
            return TimeFault.MISSING
        if self.last is None or self.last < time <= self.last + self.reset:
            return None
        after = None if following is None else following + self.shift
        if self._is_stray(time, after):
            return TimeFault.STRAY
        if time < self.last - self.reset or time > self.last + self.hole:
            return TimeFault.NEW_CLOCK
        return TimeFault.DISORDER if time <= self.last else None

    def _is_stray(self, time: int, after: int | None) -> bool:
        if self.last is None or after is None or after <= self.last:
            return False
        if time > self.last:
            return time > self.last + self.reset and after < time - self.reset
        return time < self.last - self.reset and after <= self.last + self.hole


@dataclass(frozen=True, slots=True)
class ClockStep:
    """One frame: the clock after it, its repaired time (None: unknown), the shift in it, the stored time's fault."""

    clock: ClockRepair
    pts: int | None
    shift: int
    fault: TimeFault | None


@functools.lru_cache(maxsize=16)
def clock_limits(time_base: Fraction) -> tuple[int, int]:
    """`ClockRepair.reset` and `hole` of a stream."""
    return round(CLOCK_RESET_S / time_base), round(LONGEST_HOLE_S / time_base)


def repaired(
    frames: Iterator[T], stored_pts: Callable[[T], int | None], clock: ClockRepair
) -> Iterator[tuple[T, ClockStep]]:
    """Each frame with its step of the clock; one frame is read ahead where a time leaps."""
    following: T | None = None
    while (frame := following or next(frames, None)) is not None:
        following = None
        stored, after = stored_pts(frame), None
        if clock.is_leap(stored):
            following = next(frames, None)
            after = None if following is None else stored_pts(following)
        step = clock.step(stored, after)
        clock = step.clock
        yield frame, step
