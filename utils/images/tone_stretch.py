"""Images with other tones, in which face networks see small contrasts: dark, pale, tinted and overexposed ones.

Pure functions. `stretched` is for images whose range is narrow everywhere, so that a small lit face in a dark image, or
any usual image, stays as it is; `darkened` is for videos in which nobody is found and white has swallowed faces;
`untinted` for images in which one primary colour is nearly missing, as in night vision or under coloured light.
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

TINTED = 2.2
"""ratio of the brightest to the darkest channel from which an image is tinted. Frames of the clips with labels have at
most 1.5; of faces in green light all are found at 2.0, half at 2.8 and a tenth at 4.8"""

BRIGHT_SHARE = 0.02
"""share of the pixels of a channel that are brighter than the level which is compared: a lamp or a caption is less"""

_MIN_BRIGHT = 32
"""level of the brightest channel below which ratios are those of rounding errors"""

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


def is_tinted(image: ByteArray) -> bool:
    """Whether (h, w, 3) uint8 RGB lacks one primary colour everywhere. Nearly black images are not tinted."""
    levels = [tonal_range(np.ascontiguousarray(image[..., k]), BRIGHT_SHARE)[1] for k in range(3)]
    return max(levels) >= _MIN_BRIGHT and max(levels) >= TINTED * min(levels)


def untinted(image: ByteArray) -> tuple[ByteArray, float]:
    """The image, (h, w, 3) uint8 RGB, in grey levels, each pixel's that of its brightest channel; the gain in contrast.

    Face networks were trained on skin in its colours: they know a grey face, but hardly a green one.
    """
    brightest = np.asarray(cv2.max(cv2.max(image[..., 0], image[..., 1]), image[..., 2]), np.uint8)
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    gain = tonal_range(brightest, BRIGHT_SHARE)[1] / max(tonal_range(grey, BRIGHT_SHARE)[1], 1)
    return np.asarray(cv2.cvtColor(brightest, cv2.COLOR_GRAY2RGB), np.uint8), max(gain, 1.0)
