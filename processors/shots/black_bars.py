"""Black bars around a picture: letterboxes and pillarboxes, which say nothing about what is shown."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import ByteArray

Bars = tuple[int, int, int, int]
"""thickness at the top, bottom, left and right, px"""

NO_BARS: Bars = (0, 0, 0, 0)

DARKEST, UNEVEN = 30, 10
"""a row is part of a bar where no value is above, or above the darkest one by more; video's black is 0 or 16"""
_MOST = 0.4
"""of the picture, on each side; what is darker than that is a dark picture"""
_STEP = 2
"""px; thinner bars are not worth a change"""


def black_bars(picture: ByteArray) -> Bars | None:
    """The bars of one picture (h, w, 3) uint8; None where all of it is black and nobody can tell."""
    sides = []
    for axis in (1, 0):
        high = cv2.reduce(picture, axis, cv2.REDUCE_MAX).reshape(-1, 3).max(1).astype(int)
        low = cv2.reduce(picture, axis, cv2.REDUCE_MIN).reshape(-1, 3).min(1).astype(int)
        live = np.flatnonzero((high > DARKEST) | (high - low > UNEVEN))
        if len(live) == 0:
            return None
        sides += [_bar(int(live[0]), len(high)), _bar(len(high) - 1 - int(live[-1]), len(high))]
    return sides[0], sides[1], sides[2], sides[3]


def common_bars(bars: Iterable[Bars | None]) -> Bars:
    """What is black in all pictures whose bars are known."""
    known: NDArray[np.int64] = np.array([one for one in bars if one is not None], np.int64).reshape(-1, 4)
    if len(known) == 0:
        return NO_BARS
    top, bottom, left, right = known.min(0).tolist()
    return top, bottom, left, right


def _bar(thickness: int, length: int) -> int:
    # One that thick may be the dark part of a picture as well.
    return 0 if thickness > _MOST * length else thickness // _STEP * _STEP
