"""Whether one image is another with light on a part of it: a spot, coloured light, the flash of somebody's camera.

No tone curve explains that (see `tone_curve`), because the light differs from place to place. But it does so smoothly,
whereas what it falls on has edges. So the images are compared by their local contrast: the logarithm of the brightness,
in which light is a summand, without its smooth course. Between images of different structure that leaves more mismatch
than before, because what remains is finer.
"""

from __future__ import annotations

import cv2
import numpy as np

from core.types import FloatArray
from processors.shots.block_matching import REACH, mismatch
from processors.shots.tone_curve import is_change_of_light

SMOOTHING = 2.0
"""standard deviation of the Gaussian whose result counts as light, px of 64x36"""
DARK = 8.0
"""added to the brightness, grey levels; below it noise is a large part of the contrast"""
SCALE = 60.0
"""levels for a contrast of 1, so that usual images have as many as in grey"""

MAX_LIGHT_MISMATCH = 0.2
"""largest mismatch of the local contrast at a change of light"""
MAX_LIGHT_SHARE = 0.7
"""... as a share of the mismatch of the images. Of 205 true cuts the least was 0.88"""
MIN_TEXTURE = 1.5
"""least standard deviation of the local contrast of both images, levels; what is blurred fits everything: of the same
cuts, blurred by 5 px, 49 passed, with 0.9 or less. A street in the mist has 1.9"""


def is_other_light(old: FloatArray, new: FloatArray, found: float, reach: tuple[int, int] = REACH) -> bool:
    """Whether two images show the same under other light, on all of it or on a part.

    As for `is_local_light`, with integral values in [0, 255].
    """
    return is_change_of_light(old, new, found, reach) or is_local_light(old, new, found, reach)


def is_local_light(old: FloatArray, new: FloatArray, found: float, reach: tuple[int, int] = REACH) -> bool:
    """Whether two images have the same structure, under light that differs from place to place.

    Both (36, 64) float32, grey. found: their mismatch. reach: see `mismatch`.
    """
    one, other = local_contrast(old), local_contrast(new)
    if min(float(one.std()), float(other.std())) < MIN_TEXTURE:
        return False
    return mismatch(one, other, reach) <= min(MAX_LIGHT_MISMATCH, MAX_LIGHT_SHARE * found)


def local_contrast(grey: FloatArray) -> FloatArray:
    """(h, w) float32: how much brighter each pixel of (h, w) float32 grey is than around it; the same in any light."""
    brightness = np.log(grey + np.float32(DARK))
    light = cv2.GaussianBlur(brightness, (0, 0), SMOOTHING, borderType=cv2.BORDER_REFLECT)
    return np.asarray(SCALE * (brightness - light), np.float32)
