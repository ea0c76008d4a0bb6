"""Histograms of colours in CIELAB, whose distances are those that people see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LIGHTNESS_BINS, CHROMA_BINS = 6, 9
CHROMA_LIMIT = 24.0
"""CIELAB a and b beyond this share the outermost bins; film and television rarely show stronger clothes"""

HISTOGRAM_SIZE = LIGHTNESS_BINS * CHROMA_BINS * CHROMA_BINS
"""numbers of one histogram"""

_BIN_COUNTS = np.array([LIGHTNESS_BINS, CHROMA_BINS, CHROMA_BINS])
_STEPS = np.array([CHROMA_BINS * CHROMA_BINS, CHROMA_BINS, 1])
"""how far neighbouring bins of each axis lie apart in the histogram"""
_NEIGHBOURS = (np.indices((2, 2, 2)) * _STEPS[:, None, None, None]).sum(0)
"""(2, 2, 2): where the neighbours of a bin lie, by their step along each axis"""

_BIN_CHROMA = (np.arange(CHROMA_BINS) - CHROMA_BINS // 2) * 2 * CHROMA_LIMIT / CHROMA_BINS
"""a or b in the middle of each bin"""


def lab_histogram(lab: NDArray[np.floating]) -> NDArray[np.float64]:
    """(HISTOGRAM_SIZE,) float64, the share of each bin; lightness first, then a, then b.

    Pixels are shared out among neighbouring bins linearly, so a small change of light moves little.

    Args:
        lab: (P, 3), P > 0, CIELAB pixels: L in [0, 100], a and b around 0.
    """
    chroma = (lab[:, 1:] + CHROMA_LIMIT) / (2 * CHROMA_LIMIT)
    place = np.column_stack([lab[:, :1] / 100, chroma]) * _BIN_COUNTS - 0.5
    place = np.clip(place, 0, _BIN_COUNTS - 1)
    low = np.minimum(place.astype(np.int64), _BIN_COUNTS - 2)
    share = place - low
    # One axis of two neighbours for each of lightness, a and b.
    both = np.stack([1 - share, share], axis=2)
    weights = both[:, 0, :, None, None] * both[:, 1, None, :, None] * both[:, 2, None, None, :]
    bins = (low @ _STEPS)[:, None, None, None] + _NEIGHBOURS
    return np.asarray(np.bincount(bins.ravel(), weights.ravel(), HISTOGRAM_SIZE) / len(lab))


def mean_chroma(shares: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) float64: how colourful histograms are, the mean distance of their colours from grey, CIELAB units.

    Args:
        shares: (N, HISTOGRAM_SIZE), each row adds up to 1; a row of zeros gives 0.
    """
    distance = np.hypot(_BIN_CHROMA[:, None], _BIN_CHROMA)
    by_chroma = shares.reshape(len(shares), LIGHTNESS_BINS, CHROMA_BINS * CHROMA_BINS).sum(1)
    return np.asarray(by_chroma @ distance.ravel(), np.float64)
