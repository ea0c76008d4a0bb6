"""How well the pieces of one picture fit near their place in another: what tells cuts from light and motion."""

from __future__ import annotations

import cv2
import numpy as np

from core.types import FloatArray

WIDTH, HEIGHT = 64, 36
"""of the pictures that are compared, px"""
PIECE_WIDTH, PIECE_HEIGHT = 16, 12
REACH = 4, 3
"""how far a piece may have moved in one frame, across and down: 6 % and 8 % of the picture"""
NOISE_LEVELS = 1.5
"""grey levels of texture that noise and coding make up after shrinking"""


def mismatch(old: FloatArray, new: FloatArray, reach: tuple[int, int] = REACH) -> float:
    """How badly the pieces of `new` fit near their place in `old`, 0 (all fit) to 1.

    Both (36, 64) float32, grey. Gain and offset of each piece do not matter; pieces without
    texture in either picture hardly count. reach: how far from their place they are looked for, across and down.
    """
    old_deviation, new_deviation = _deviation(old), _deviation(new)
    total = weights = 0.0
    for y in range(0, HEIGHT, PIECE_HEIGHT):
        y0, y1 = max(y - reach[1], 0), min(y + reach[1], HEIGHT - PIECE_HEIGHT)
        for x in range(0, WIDTH, PIECE_WIDTH):
            x0, x1 = max(x - reach[0], 0), min(x + reach[0], WIDTH - PIECE_WIDTH)
            piece = new[y : y + PIECE_HEIGHT, x : x + PIECE_WIDTH]
            common = cv2.matchTemplate(old[y0 : y1 + PIECE_HEIGHT, x0 : x1 + PIECE_WIDTH], piece, cv2.TM_CCOEFF)
            texture = float(new_deviation[y, x])
            best = float((common / old_deviation[y0 : y1 + 1, x0 : x1 + 1]).max())
            fit = best / (texture * PIECE_WIDTH * PIECE_HEIGHT)
            strongest = max(texture, float(old_deviation[y, x]))
            weight = min(strongest, 20.0)
            total += weight * (1 - min(max(fit, 0.0), 1.0)) * strongest**2 / (strongest**2 + NOISE_LEVELS**2)
            weights += weight
    return total / weights


def _deviation(grey: FloatArray) -> FloatArray:
    """(36, 64) float32, at least 0.3: standard deviation of the piece whose upper left pixel is here."""
    size = (PIECE_WIDTH, PIECE_HEIGHT)
    mean = cv2.boxFilter(grey, -1, size, anchor=(0, 0), borderType=cv2.BORDER_REFLECT)
    square = cv2.sqrBoxFilter(grey, -1, size, anchor=(0, 0), borderType=cv2.BORDER_REFLECT)
    deviation: FloatArray = np.sqrt(np.maximum(square - mean * mean, 0) + np.float32(0.1))
    return deviation
