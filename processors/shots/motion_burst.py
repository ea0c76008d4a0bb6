"""Finds bursts: short runs of frames in which the image changes far more than just before and after. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray

RISE, MIN_RISE, USUAL = 1.5, 1.5, 80
"""a burst begins with a change of this multiple of the usual one, and so many grey levels more: this percentile of
those in the second before it, in which somebody may have made a gesture"""

FALL, MIN_FALL = 0.15, 1.5
"""it ends where the change stays below this share of its largest, or below so many grey levels"""

MIN_CALM_S, QUIET_S, LEVEL_S = 0.2, 0.16, 1.0
"""least time before a burst, time for which it has to stay quiet after it, and that before it with which it is
compared, seconds"""

MAX_BURST_S, MIN_BURST = 1.8, 4
"""longest burst, seconds, and shortest, frames. Edited transitions take 0.3 to 1.5 s"""

TAIL_S = 0.3
"""time by which an end is known late, in which a motion may still fade away, seconds"""

WHOLE_IMAGE = 0.6
"""least share of the image that a burst changes in a transition of the whole image: made ones have 0.73 or more,
gestures in single-camera clips up to 0.44"""

_MOVED, _MIN_MOVED = 2.0, 2.0
"""a cell has moved in a burst if its change is this multiple of that in the second before and so many levels more"""


@dataclass(frozen=True, slots=True)
class Burst:
    """Frames [first, end), each of which differs much from the one before, except the first after the end.

    coverage: share of the image that changed.
    """

    first: int
    end: int
    coverage: float

    @property
    def is_of_whole_image(self) -> bool:
        """Whether it changes as much of the image as a transition does."""
        return self.coverage >= WHOLE_IMAGE

    def within(self, other: Burst, margin: int) -> Burst:
        """The part of it that lies at most `margin` frames outside of another one, which it overlaps."""
        return Burst(max(self.first, other.first - margin), min(self.end, other.end + margin), self.coverage)


class _Change(NamedTuple):
    """By how much a frame differs from the one before: on the whole, and in each cell (K,), grey levels."""

    mean: float
    cells: FloatArray


class MotionBursts:
    """Follows the change from frame to frame. Its memory does not grow."""

    def __init__(self, rate: float) -> None:
        """rate: frames per second."""
        self._calm: deque[_Change] = deque(maxlen=max(round(LEVEL_S * rate), 1))
        self._least_calm = max(round(MIN_CALM_S * rate), 2)
        self._quiet, self._tail = max(round(QUIET_S * rate), 2), max(round(TAIL_S * rate), 3)
        self._longest = round(MAX_BURST_S * rate)
        self._run: list[_Change] = []
        self._count = 0

    def add(self, changes: FloatArray, mean: float) -> Burst | None:
        """Take the next frame; the burst that has become known with it.

        changes: (K,) mean change since the frame before in each cell of the image, grey levels. mean: of the image.
        """
        self._count += 1
        change = _Change(mean, changes)
        if not self._run and not self._rises(mean):
            self._calm.append(change)
            return None
        self._run.append(change)
        return self._ended()

    def _rises(self, mean: float) -> bool:
        # Most frames change too little for any burst, and need not be compared.
        if mean <= MIN_RISE or len(self._calm) < self._least_calm:
            return False
        return mean > RISE * float(np.percentile([c.mean for c in self._calm], USUAL)) + MIN_RISE

    def _ended(self) -> Burst | None:
        count = len(self._run)
        if count < self._quiet + self._tail:
            return None
        means = np.array([c.mean for c in self._run])
        low = means <= max(FALL * float(means.max()), MIN_FALL)
        if low[-self._quiet - self._tail : -self._tail].all():
            return self._close(means, count - self._quiet - self._tail)
        if count > self._longest + self._quiet + self._tail:
            self._restart(count - self._quiet)
        return None

    def _close(self, means: NDArray[np.float64], end: int) -> Burst | None:
        first = self._count - len(means)
        # What is left of the image that goes, in a corner for example, may still be moving.
        while end < len(means) - self._quiet and means[end] > 1.5 * float(np.median(means[end + 1 :])) + 0.5:
            end += 1
        run, usual = self._run[:end], np.max([c.cells for c in self._calm], axis=0)
        self._restart(end)
        if end < MIN_BURST:
            return None
        moved = np.max([c.cells for c in run], axis=0) > _MOVED * usual + _MIN_MOVED
        return Burst(first, first + end, float(moved.mean()))

    def _restart(self, end: int) -> None:
        """Go on after the first `end` frames of the run."""
        left, self._run = self._run[end:], []
        self._calm.clear()
        self._calm.extend(left)
