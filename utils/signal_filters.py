"""Filters along signals that are known as a whole, by OpenCV: scipy's take a third of a second to import."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

_BORDERS = {"held": cv2.BORDER_REPLICATE, "mirrored": cv2.BORDER_REFLECT}
_REACH = 4.0
"""standard deviations at which a Gaussian is cut off, as scipy.ndimage does"""


def gaussian(values: Signal, sigma: float, *, ends: Literal["held", "mirrored"] = "held") -> Signal:
    """Columns of `values`, (N,) or (N, C), under a zero-phase Gaussian. sigma: its standard deviation, samples."""
    reach = int(_REACH * sigma + 0.5)
    if reach == 0:
        return values.astype(np.float64)
    kernel = cv2.getGaussianKernel(2 * reach + 1, sigma, cv2.CV_64F)
    columns = np.ascontiguousarray(values.reshape(len(values), -1), np.float64)
    smooth = cv2.sepFilter2D(columns, cv2.CV_64F, np.ones(1), kernel, borderType=_BORDERS[ends])
    return np.asarray(smooth, np.float64).reshape(values.shape)


def median(values: Signal, width: int) -> Signal:
    """Columns of `values` (N, C) under a running median over an odd `width` of at most 2 N - 1; ends mirrored."""
    reach = width // 2
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="symmetric")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, width, axis=0), axis=-1))


def rolling_max(values: Signal, width: int) -> Signal:
    """The greatest of an odd `width` of samples around each of `values` (N,)."""
    dilated = cv2.dilate(values[:, None], np.ones((width, 1), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(dilated, np.float64).reshape(-1)


def rolling_min(values: Signal, width: int) -> Signal:
    """The least of an odd `width` of samples around each of `values` (N,)."""
    return -rolling_max(-values, width)
