"""Whether one image is another under other light: the same structure behind a tone curve, which may clip.

Blocks of images are compared by correlation, which ignores gain and offset. Over-exposure does more: it makes all that
is bright equally white, so that what is left of a block no longer resembles it. But it keeps the order of the tones.
So the tones of one image are replaced by those of the other, in their order (histogram specification), before the
blocks are compared. Between images of different structure that changes hardly anything.
"""

from __future__ import annotations

import numpy as np

from core.types import FloatArray
from processors.shots.block_matching import REACH, mismatch

MAX_LIGHT_MISMATCH = 0.12
"""largest mismatch that is left of a change of light"""
MAX_LIGHT_SHARE = 0.6
"""largest share of the mismatch that is left of a change of light. Of 407 true cuts 0.78 or more was left"""
MIN_LIGHT_CONTRAST = 3.0
"""least contrast (standard deviation, grey levels) of both images; a flat one fits everything"""


def is_change_of_light(old: FloatArray, new: FloatArray, found: float, reach: tuple[int, int] = REACH) -> bool:
    """Whether a tone curve explains most of the mismatch `found` between two images.

    Both (36, 64) float32, grey, integral values in [0, 255]. reach: see `mismatch`.
    """
    if min(float(old.std()), float(new.std())) < MIN_LIGHT_CONTRAST:
        return False
    limit = min(MAX_LIGHT_MISMATCH, MAX_LIGHT_SHARE * found)
    # Whichever image is clipped, its tones follow from those of the other and not the other way round.
    return mismatch(with_tones(old, new), new, reach) <= limit or mismatch(old, with_tones(new, old), reach) <= limit


def with_tones(image: FloatArray, other: FloatArray) -> FloatArray:
    """(h, w) float32: `image` with the tones of `other` in the order of its own.

    Both (h, w) float32, integral values in [0, 255]. Equal tones stay equal: they become the mean of those that they
    correspond to.
    """
    levels = image.astype(np.uint8)
    counts = np.bincount(levels.ravel(), minlength=256)
    ends = np.cumsum(counts)
    sums = np.concatenate(([0.0], np.cumsum(np.sort(other, axis=None), dtype=np.float64)))
    curve = (sums[ends] - sums[ends - counts]) / np.maximum(counts, 1)
    return np.asarray(curve[levels], np.float32)
