"""Whether a run of frames is a wipe: each place changes from the first image to the last at its own time.

A wipe is a dissolve cell by cell: each cell of every frame is a mixture of its contents in the first and in the last
frame. But the cells do not change at the same time. Those that do lie together, along an edge of any shape and
softness that sweeps over the image.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray
from processors.shots.gradual_run import GradualFit, GradualRun

CELL = 2
"""side of a cell, px of an image of 32x18"""
COLUMNS, ROWS = 16, 9
"""cells of an image"""

MAX_RESIDUAL = 0.42
"""largest rms distance of a frame from the nearest mixture in all its cells, as a share of the difference of the first
and the last frame. Generated wipes between moving shots have up to 0.41; people who pass through the image leave
more"""

NEIGHBOURS = 5
"""side, cells, of the square whose mean predicts when a cell changes"""
MIN_ORDER = 0.5
"""smallest correlation of when a cell changes with that mean (without the cell). Generated wipes have 0.51 (an iris
over a moving person) to 1.0; in the development clips a car has 0.33 and a crowd 0.12 where everything else would
fit"""
COMMON_WEIGHT = 75
"""percentile of the change of cells above which more change gives no more weight"""


def fit_wipe(run: GradualRun) -> GradualFit | None:
    """The wipe that a run of frames, (32x18 RGB) pixels each, shows; None if it shows none."""
    if not run.grows_slowly:
        return None
    changes, step = _cells(run.changes), _cells(run.step[None])[0]
    energies = np.maximum(np.square(step).sum(1), np.float32(1e-3))
    shares = np.clip(np.einsum("nkv,kv->nk", changes, step) / energies, 0, 1)
    distances = np.square(changes - shares[..., None] * step).sum((1, 2))
    residual = float(np.sqrt(distances.max() / run.energy))
    if residual > MAX_RESIDUAL or _order((1 - shares).sum(0), energies) < MIN_ORDER:
        return None
    return run.fit(residual)


def _cells(pixels: FloatArray) -> FloatArray:
    """(n, 1728) pixels of images as (n, 144, 12), by cell."""
    by_row = pixels.reshape(-1, ROWS, CELL, COLUMNS, CELL, 3)
    by_cell = by_row.transpose(0, 1, 3, 2, 4, 5)
    return np.asarray(by_cell.reshape(len(pixels), ROWS * COLUMNS, CELL * CELL * 3), np.float32)


def _order(turns: FloatArray, energies: FloatArray) -> float:
    """Whether neighbours change together: correlation of each cell's time with the mean of the cells around it.

    turns: (144,), the frame with which each cell changes. energies: (144,), how much it changes.
    """
    weights = np.minimum(energies, np.percentile(energies, COMMON_WEIGHT)).astype(np.float64)
    sums = _around(turns * weights) / np.maximum(_around(weights), 1e-9)
    a, b = (values - np.average(values, weights=weights) for values in (turns, sums))
    norm = np.sqrt((weights @ np.square(a)) * (weights @ np.square(b)))
    return float(weights @ (a * b) / max(norm, 1e-9))


def _around(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """(144,) the sum of the cells around each, without it."""
    grid = np.ascontiguousarray(values.reshape(ROWS, COLUMNS), np.float64)
    square = (NEIGHBOURS, NEIGHBOURS)
    sums = cv2.boxFilter(grid, -1, square, normalize=False, borderType=cv2.BORDER_CONSTANT) - grid
    return np.asarray(sums.ravel())
