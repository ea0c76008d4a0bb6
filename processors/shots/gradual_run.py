"""A run of frames that may be a gradual transition: how far each frame is on the way from the first to the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray

MIN_CONTRAST = 6.0
"""smallest rms difference of the first and the last frame, grey levels"""
LEVEL = 0.06
"""largest deviation of the share of the last frame from 0 and 1 in the stretches without change"""
TRACE = 0.02
"""share of an image that can be seen, but in which no face is found"""
LEVEL_PART = 8
"""the stretches without change at both ends of the run take at least one of this many parts each"""
MAX_STEP_BACK, MAX_STEP = 0.08, 0.45
"""largest fall, and largest rise, of the share from one frame to the next"""


@dataclass(frozen=True, slots=True)
class GradualFit:
    """A gradual transition in a run of frames.

    Positions of frames: first_trace: the first that shows a trace of the last. began: the first that shows something of
    it. middle: the first that shows more of the last than of the first. settled: the first that shows hardly anything
    of the first. pure: the first without a trace of it. residual: the largest rms distance of a frame from an ideal
    transition, as a share of the difference of the first and the last frame.
    """

    first_trace: int
    began: int
    middle: int
    settled: int
    pure: int
    residual: float


@dataclass(frozen=True, slots=True, eq=False)
class GradualRun:
    """Frames between two stretches without change.

    changes: (n, K) float32, what each of n frames adds to the first, grey levels. shares: (n,), how far each is on the
    way from the first to the last, 0 to 1 apart from motion.
    """

    changes: FloatArray
    shares: NDArray[np.floating]

    @property
    def step(self) -> FloatArray:
        """(K,) what the last frame adds to the first."""
        return np.asarray(self.changes[-1], np.float32)

    @property
    def energy(self) -> float:
        """The squared length of the step."""
        return float(self.step @ self.step)

    @property
    def grows_slowly(self) -> bool:
        """Whether the shares rise from 0 to 1 without a step back, and not in one step."""
        rises = [float(b - a) for a, b in pairwise(self.shares)]
        return min(rises) > -MAX_STEP_BACK and max(rises) < MAX_STEP

    @property
    def duration(self) -> int:
        """The number of frames that show both images."""
        return int(np.count_nonzero((self.shares > LEVEL) & (self.shares < 1 - LEVEL)))

    def is_level(self, frames: int) -> bool:
        """Whether this many frames at each end are hardly changed."""
        if 2 * frames >= len(self.shares):
            return False
        ends = np.abs(self.shares[: frames + 1]), np.abs(self.shares[-frames - 1 :] - 1)
        return bool(max(end.max() for end in ends) <= LEVEL)

    def fit(self, residual: float) -> GradualFit:
        """The transition that the shares show."""
        return fit_of(self.shares, residual)


def gradual_run(frames: Sequence[FloatArray]) -> GradualRun | None:
    """The run of `frames`, (K,) float32 pixels each; None if its ends are too similar, or not still."""
    first, last, end = frames[0], frames[-1], len(frames) - 1
    step = last - first
    energy = float(step @ step)
    if energy < MIN_CONTRAST**2 * step.size:
        return None
    # Two frames rule out most runs, so that not all frames have to be compared.
    level = max(1, end // LEVEL_PART)
    for near, share in ((level, 0.0), (end - level, 1.0)):
        if abs(float((frames[near] - first) @ step) / energy - share) > LEVEL:
            return None
    changes = np.stack(frames) - first
    return GradualRun(changes, changes @ step / energy)


def fit_of(shares: NDArray[np.floating], residual: float) -> GradualFit:
    """shares: (n,) how much of the last frame each shows, from 0 to 1."""
    levels = (TRACE, LEVEL, 0.5, 1 - LEVEL, 1 - TRACE)
    first_trace, began, middle, settled, pure = (int(np.argmax(shares >= level)) for level in levels)
    return GradualFit(first_trace, began, middle, settled, pure, residual)
