"""Black bars around an image (letterbox, pillarbox), which shots are compared without."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import ByteArray

Bars = tuple[int, int, int, int]
"""thickness at the top, bottom, left and right, px"""

NO_BARS: Bars = (0, 0, 0, 0)

MAX_LEVEL, MAX_SPREAD = 30, 10
"""a row belongs to a bar if no value in it is above the level, nor above its darkest one by more than the spread; black
is 0 or 16 in videos"""
_MAX_SHARE = 0.4
"""of the image, on each side; a thicker bar is probably a dark part of the image"""
_STEP = 2
"""px; thickness is rounded down to multiples of this, because smaller changes are not worth a new comparison"""


def black_bars(image: ByteArray) -> Bars | None:
    """The bars of an image (h, w, 3) uint8; None if all of it is black, because then they are unknown."""
    # Most images have none, and their four edges tell so for a tenth of the time.
    if all(_is_live(edge) for edge in (image[0], image[-1], image[:, 0], image[:, -1])):
        return NO_BARS
    sides = []
    for axis in (1, 0):
        high = cv2.reduce(image, axis, cv2.REDUCE_MAX).reshape(-1, 3).max(1).astype(int)
        low = cv2.reduce(image, axis, cv2.REDUCE_MIN).reshape(-1, 3).min(1).astype(int)
        live = np.flatnonzero((high > MAX_LEVEL) | (high - low > MAX_SPREAD))
        if len(live) == 0:
            return None
        sides += [_bar(int(live[0]), len(high)), _bar(len(high) - 1 - int(live[-1]), len(high))]
    return sides[0], sides[1], sides[2], sides[3]


def common_bars(bars: Iterable[Bars | None]) -> Bars:
    """The bars common to all images whose bars are known; no bars if none are known."""
    known: NDArray[np.int64] = np.array([one for one in bars if one is not None], np.int64).reshape(-1, 4)
    if len(known) == 0:
        return NO_BARS
    top, bottom, left, right = known.min(0).tolist()
    return top, bottom, left, right


def _is_live(edge: ByteArray) -> bool:
    """Whether a row or column, (n, 3), belongs to no bar."""
    high = int(edge.max())
    return high > MAX_LEVEL or high - int(edge.min()) > MAX_SPREAD


def _bar(thickness: int, length: int) -> int:
    return 0 if thickness > _MAX_SHARE * length else thickness // _STEP * _STEP
