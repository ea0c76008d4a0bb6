"""Whether a run of frames is a wipe: each place turns from the first image to the last in its turn.

Everything about a dissolve holds for a wipe, place by place: each cell of every frame is a mixture of what it shows in
the first and in the last frame. But the cells do not turn together, and those that turn together lie together: along an
edge that sweeps over the picture, whatever its shape and however soft.
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
and the last frame. Made wipes between moving shots have up to 0.41; who passes through the picture leaves more"""

NEIGHBOURS = 5
"""side, cells, of the square whose mean says when a cell should turn"""
MIN_ORDER = 0.5
"""least correlation of when a cell turns with that mean, without the cell. Made wipes have 0.51 (an iris over somebody
who moves) to 1.0; in the shared clips a car has 0.33 and a crowd 0.12 where everything else would fit"""
COMMON_WEIGHT = 75
"""percentile: cells that change more than so many in a hundred weigh no more for it"""


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
    """Whether neighbours turn together: correlation of each cell's turn with the mean of the cells around it.

    turns: (144,), the frame with which each cell turns. energies: (144,), how much it changes by turning.
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
