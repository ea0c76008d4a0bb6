"""Images with other tones, in which face networks see small contrasts: dark, pale and overexposed ones.

Pure functions. `stretched` is for images whose range is narrow everywhere, so that a small lit face in a dark image, or
any usual image, stays as it is; `darkened` is for videos in which nobody is found and white has swallowed faces.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ByteArray = NDArray[np.uint8]

NARROW_RANGE = 80
"""images whose grey levels span less than this are stretched. Frames of all shared clips and cases span 124 or more"""

TAIL = 0.001
"""share of the values beyond each end of the range: hot pixels, but not yet the smallest wanted face"""

MAX_GAIN = 32.0
"""larger contrasts would be made of the encoder's noise alone"""

DARKENING = 6
"""power to which `darkened` raises levels, and with that the gain in contrast just below white. Chosen on the case
`exp_over` (docs/decisions/tracking.md)"""

_FULL_RANGE = 255.0
_DARKENED = np.rint(_FULL_RANGE * (np.arange(256) / _FULL_RANGE) ** DARKENING).astype(np.uint8)


def tonal_range(values: ByteArray, tail: float = TAIL) -> tuple[int, int]:
    """The lowest and the highest level of (h, w) or (h, w, 3) uint8 but for the share `tail` of the values at each."""
    counts = cv2.calcHist([values.reshape(len(values), -1)], [0], None, [256], [0, 256]).ravel()
    share = np.cumsum(counts, dtype=np.float64) / values.size
    low, high = np.searchsorted(share, [tail, 1 - tail])
    return int(low), int(high)


def is_narrow(values: ByteArray) -> bool:
    """Whether the levels of (h, w) or (h, w, 3) uint8 span so little that stretching them helps."""
    low, high = tonal_range(values)
    return high - low < NARROW_RANGE


def stretched(image: ByteArray) -> tuple[ByteArray, float]:
    """The image, (h, w, 3) uint8 RGB, with its grey levels from black to white, and the gain in contrast.

    Colours gain as much as grey levels do, as far as that keeps them within the range.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    (low, high), (darkest, brightest) = tonal_range(grey), tonal_range(image)
    gain = min(_FULL_RANGE / max(high - low, 1), MAX_GAIN)
    colour_gain = min(gain, _FULL_RANGE / max(brightest - darkest, 1))
    level = grey.astype(np.float32)[..., None]
    lit = gain * (level - low) + colour_gain * (image - level)
    return np.clip(np.rint(lit), 0, _FULL_RANGE).astype(np.uint8), gain


def darkened(image: ByteArray) -> ByteArray:
    """The image, (h, w, 3) uint8 RGB, in grey levels in which an overexposed face has features.

    Red and green of skin are clipped first, so what is left of its detail is in the lowest channel, just below white.
    """
    lowest = cv2.min(cv2.min(image[..., 0], image[..., 1]), image[..., 2])
    return np.asarray(cv2.cvtColor(cv2.LUT(lowest, _DARKENED), cv2.COLOR_GRAY2RGB), np.uint8)
