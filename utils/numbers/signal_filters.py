"""Offline 1-D filters built on OpenCV, because importing scipy takes a third of a second."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

_BORDERS = {"held": cv2.BORDER_REPLICATE, "mirrored": cv2.BORDER_REFLECT}
_REACH = 4.0
"""standard deviations at which the Gaussian is truncated, as in scipy.ndimage"""


def gaussian(values: Signal, sigma: float, *, ends: Literal["held", "mirrored"] = "held") -> Signal:
    """Zero-phase Gaussian along the columns of `values`, (N,) or (N, C). sigma: standard deviation, samples."""
    reach = int(_REACH * sigma + 0.5)
    if reach == 0:
        return values.astype(np.float64)
    kernel = cv2.getGaussianKernel(2 * reach + 1, sigma, cv2.CV_64F)
    columns = np.ascontiguousarray(values.reshape(len(values), -1), np.float64)
    smooth = cv2.sepFilter2D(columns, cv2.CV_64F, np.ones(1), kernel, borderType=_BORDERS[ends])
    return np.asarray(smooth, np.float64).reshape(values.shape)


def median(values: Signal, width: int) -> Signal:
    """Running median along the columns of `values` (N, C). width: odd, at most 2 N - 1; the ends are mirrored."""
    reach = width // 2
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="symmetric")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, width, axis=0), axis=-1))


def rolling_max(values: Signal, width: int) -> Signal:
    """Maximum over a centred window of an odd `width` of samples, for each of `values` (N,)."""
    dilated = cv2.dilate(values[:, None], np.ones((width, 1), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(dilated, np.float64).reshape(-1)


def rolling_min(values: Signal, width: int) -> Signal:
    """Minimum over a centred window of an odd `width` of samples, for each of `values` (N,)."""
    return -rolling_max(-values, width)
