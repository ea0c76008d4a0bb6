"""Whether a run of frames is a dissolve: mixtures of its first and its last frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray

MIN_CONTRAST = 6.0
"""least rms difference of the first and the last frame, grey levels"""
MAX_RESIDUAL = 0.4
"""largest rms distance of a frame from the nearest mixture, as a share of that difference"""
LEVEL = 0.06
"""largest deviation of the share of the last frame from 0 and 1 in the stretches without change"""
LEVEL_PART = 8
"""the stretches without change at both ends of the run take at least one part of so many"""
MAX_STEP_BACK, MAX_STEP = 0.08, 0.45
"""by how much the share may fall, and must not rise, from one frame to the next"""


@dataclass(frozen=True, slots=True)
class DissolveFit:
    """A dissolve in a run of frames.

    middle, settled: positions of the first frame that shows more of the last than of the first, and hardly any of the
    first. residual: the largest rms distance of a frame from the nearest mixture, as a share of the difference of the
    first and the last frame.
    """

    middle: int
    settled: int
    residual: float


def fit_dissolve(frames: Sequence[FloatArray]) -> DissolveFit | None:
    """The dissolve that `frames`, (K,) float32 pixels each, show; None if they are not mixtures of two images."""
    first, last, end = frames[0], frames[-1], len(frames) - 1
    step = last - first
    energy = float(step @ step)
    if energy < MIN_CONTRAST**2 * step.size:
        return None
    # Two frames tell most runs apart, so that not all have to be compared.
    level = max(1, end // LEVEL_PART)
    for near, share in ((level, 0.0), (end - level, 1.0)):
        if abs(float((frames[near] - first) @ step) / energy - share) > LEVEL:
            return None
    run = np.stack(frames) - first
    shares = run @ step / energy
    if not _grows_slowly(shares):
        return None
    residuals = np.sqrt(np.square(run - shares[:, None] * step).sum(1) / energy)
    residual = float(residuals.max())
    if residual > MAX_RESIDUAL:
        return None
    return DissolveFit(int(np.argmax(shares >= 0.5)), int(np.argmax(shares >= 1 - LEVEL)), residual)


def _grows_slowly(shares: NDArray[np.floating]) -> bool:
    """Whether the shares rise from 0 to 1 without a step back, and not in one step."""
    rises = [float(b - a) for a, b in pairwise(shares)]
    return min(rises) > -MAX_STEP_BACK and max(rises) < MAX_STEP
