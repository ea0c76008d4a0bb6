"""Colour histograms in CIELAB, where distances match perception."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LIGHTNESS_BINS, CHROMA_BINS = 6, 9
CHROMA_LIMIT = 24.0
"""CIELAB a and b beyond this fall into the outermost bins; clothes in film and television are rarely more colourful"""

HISTOGRAM_SIZE = LIGHTNESS_BINS * CHROMA_BINS * CHROMA_BINS
"""number of bins"""

_BIN_COUNTS = np.array([[LIGHTNESS_BINS], [CHROMA_BINS], [CHROMA_BINS]], np.float64)
_LOWEST = np.array([[0.0], [-CHROMA_LIMIT], [-CHROMA_LIMIT]])
_BINS_PER_UNIT = _BIN_COUNTS / np.array([[100.0], [2 * CHROMA_LIMIT], [2 * CHROMA_LIMIT]])
_STEPS = np.array([CHROMA_BINS * CHROMA_BINS, CHROMA_BINS, 1], np.float64)
"""how far neighbouring bins of each axis lie apart in the histogram"""
_NEIGHBOURS = (np.indices((2, 2, 2)).reshape(3, 8) * _STEPS[:, None].astype(np.int64)).sum(0)[:, None]
"""(8, 1): where the neighbours of a bin lie, the last axis varying fastest"""

_BIN_CHROMA = (np.arange(CHROMA_BINS) - CHROMA_BINS // 2) * 2 * CHROMA_LIMIT / CHROMA_BINS
"""a or b in the middle of each bin"""


def lab_histogram(lab: NDArray[np.floating]) -> NDArray[np.float64]:
    """(HISTOGRAM_SIZE,) float64, the share of each bin; lightness first, then a, then b.

    Pixels are distributed among neighbouring bins linearly, so a small change of light has little effect.

    Args:
        lab: (P, 3), P > 0, CIELAB pixels: L in [0, 100], a and b around 0.
    """
    place = np.clip((lab.T - _LOWEST) * _BINS_PER_UNIT - 0.5, 0, _BIN_COUNTS - 1)
    low = np.minimum(np.floor(place), _BIN_COUNTS - 2)
    lightness, a, b = place - low
    # One neighbour after the other: arrays with an axis for each neighbour took twice as long.
    chroma = np.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b])
    weights = np.concatenate([(1 - lightness) * chroma, lightness * chroma])
    bins = (_STEPS @ low).astype(np.int64) + _NEIGHBOURS
    return np.asarray(np.bincount(bins.ravel(), weights.ravel(), HISTOGRAM_SIZE) / len(lab))


def mean_chroma(shares: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) float64: how colourful histograms are, the mean distance of their colours from grey, CIELAB units.

    Args:
        shares: (N, HISTOGRAM_SIZE), each row adds up to 1; a row of zeros gives 0.
    """
    distance = np.hypot(_BIN_CHROMA[:, None], _BIN_CHROMA)
    by_chroma = shares.reshape(len(shares), LIGHTNESS_BINS, CHROMA_BINS * CHROMA_BINS).sum(1)
    return np.asarray(by_chroma @ distance.ravel(), np.float64)
