"""Whether a run of frames is a dissolve: mixtures of its first and its last frame."""

from __future__ import annotations

import numpy as np

from processors.shots.gradual_run import GradualFit, GradualRun

MAX_RESIDUAL = 0.4
"""largest rms distance of a frame from the nearest mixture, as a share of the difference between first and last
frame"""


def fit_dissolve(run: GradualRun) -> GradualFit | None:
    """The dissolve that a run of frames shows; None if they are not mixtures of two images."""
    if not run.grows_slowly:
        return None
    distances = np.square(run.changes - run.shares[:, None] * run.step).sum(1)
    residual = float(np.sqrt(distances.max() / run.energy))
    return run.fit(residual) if residual <= MAX_RESIDUAL else None
