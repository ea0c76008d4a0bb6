"""Noise of an image: how much of it there is, and an image with less of it.

Face networks were trained on clean photographs: grain of the size of a pixel hides small faces from them. Pure
functions.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ByteArray = NDArray[np.uint8]

NOISY = 4.0
"""noise level from which an image is smoothed. Frames of all shared clips and cases have at most 2.2 (a dithered
animation), the two grainy videos made for this 7 and more in most frames"""

SMOOTHING_PX = 0.8
"""standard deviation of the Gaussian that smooths, px; chosen among filters in docs/decisions/tracking.md"""

_ROW_STEP = 32
"""of so many rows one is looked at: the level is a median over thousands of pixels even then"""

_MEDIAN_OF_NORMAL = 0.6745
"""median of the absolute value of a standard normal variable"""

_GAIN = 6.0
"""standard deviation of the mask's response to white noise of standard deviation 1"""


def noise_level(grey: ByteArray) -> float:
    """Standard deviation of the noise of (h, w) uint8, in grey levels; 0.0 where there are fewer than 3x3 pixels.

    The mask is the difference of two Laplacians, which straight edges and slopes leave at 0 (J. Immerkaer, "Fast Noise
    Variance Estimation", 1996); the median instead of its mean ignores the texture of less than half of the image.
    """
    if min(grey.shape) < 3:
        return 0.0
    rows = np.arange(1, grey.shape[0] - 1, _ROW_STEP)
    above, here, below = (grey[rows + shift].astype(np.int16) for shift in (-1, 0, 1))
    across = above - 2 * here + below
    response = across[:, :-2] - 2 * across[:, 1:-1] + across[:, 2:]
    return float(np.median(np.abs(response))) / (_MEDIAN_OF_NORMAL * _GAIN)


def is_noisy(image: ByteArray) -> bool:
    """Whether (h, w, 3) uint8 RGB has so much noise that it should be smoothed; judged by green alone."""
    return noise_level(image[..., 1]) >= NOISY


def without_noise(image: ByteArray) -> ByteArray:
    """(h, w, 3) uint8 RGB, smoothed if it is noisy; else the same array."""
    return smoothed(image) if is_noisy(image) else image


def smoothed(image: ByteArray) -> ByteArray:
    """The image, (h, w, 3) uint8, with less noise."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), SMOOTHING_PX), np.uint8)
