"""How well the blocks of one image match near their place in another; distinguishes cuts from light and motion."""

from __future__ import annotations

import cv2
import numpy as np

from core.types import FloatArray

WIDTH, HEIGHT = 64, 36
"""size of the images compared, px"""
BLOCK_WIDTH, BLOCK_HEIGHT = 16, 12
REACH = 4, 3
"""how far a block may have moved in one frame, across and down, px: 6 % and 8 % of the image"""
NOISE_LEVELS = 1.5
"""deviation that noise and compression leave after shrinking, grey levels"""
MAX_WEIGHT = 20.0
"""deviation above which more texture gives a block no more weight, grey levels"""


def mismatch(old: FloatArray, new: FloatArray, reach: tuple[int, int] = REACH) -> float:
    """How badly the blocks of `new` match near their place in `old`: 0 (all match) to 1.

    Both (36, 64) float32, grey. Gain and offset of a block do not matter; blocks without texture in either image
    hardly count. reach: how far from their place blocks are searched for, across and down, px.
    """
    old_deviation, new_deviation = _deviation(old), _deviation(new)
    total = weights = 0.0
    for y in range(0, HEIGHT, BLOCK_HEIGHT):
        y0, y1 = max(y - reach[1], 0), min(y + reach[1], HEIGHT - BLOCK_HEIGHT)
        for x in range(0, WIDTH, BLOCK_WIDTH):
            x0, x1 = max(x - reach[0], 0), min(x + reach[0], WIDTH - BLOCK_WIDTH)
            block = new[y : y + BLOCK_HEIGHT, x : x + BLOCK_WIDTH]
            covariance = cv2.matchTemplate(old[y0 : y1 + BLOCK_HEIGHT, x0 : x1 + BLOCK_WIDTH], block, cv2.TM_CCOEFF)
            texture = float(new_deviation[y, x])
            best = float((covariance / old_deviation[y0 : y1 + 1, x0 : x1 + 1]).max())
            correlation = best / (texture * BLOCK_WIDTH * BLOCK_HEIGHT)
            strongest = max(texture, float(old_deviation[y, x]))
            weight = min(strongest, MAX_WEIGHT)
            total += weight * (1 - min(max(correlation, 0.0), 1.0)) * strongest**2 / (strongest**2 + NOISE_LEVELS**2)
            weights += weight
    return total / weights


def _deviation(grey: FloatArray) -> FloatArray:
    """(36, 64) float32, at least 0.3: standard deviation of the block whose upper left pixel is here."""
    size = (BLOCK_WIDTH, BLOCK_HEIGHT)
    mean = cv2.boxFilter(grey, -1, size, anchor=(0, 0), borderType=cv2.BORDER_REFLECT)
    square = cv2.sqrBoxFilter(grey, -1, size, anchor=(0, 0), borderType=cv2.BORDER_REFLECT)
    deviation: FloatArray = np.sqrt(np.maximum(square - mean * mean, 0) + np.float32(0.1))
    return deviation
