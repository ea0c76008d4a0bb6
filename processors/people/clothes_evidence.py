"""What the clothes say about whether two tracklets show one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray, Tracklet
from utils.images.lab_histogram import HISTOGRAM_SIZE, mean_chroma


@dataclass(frozen=True, slots=True)
class ClothesCurve:
    """log-odds = offset - (slope + colour_slope * colour) * log(1 - likeness).

    Black, white and grey clothes are so common that two people agree in them by chance.
    """

    offset: float
    slope: float
    colour_slope: float

    def log_odds(self, likeness: NDArray[np.floating], colour: NDArray[np.floating]) -> NDArray[np.floating]:
        """Log-odds that both are one person, (...) like the arguments.

        likeness: Bhattacharyya coefficients in [0, 1]. colour: 0 for greys, 1 for full colours.
        """
        slope = self.slope + self.colour_slope * colour
        return np.asarray(self.offset + slope * closeness(likeness))


CURVE = ClothesCurve(offset=-5.8, slope=2.4, colour_slope=1.5)
"""a likeness of 0.77 says nothing in full colours, and one of 0.91 in greys"""

COLOURFUL = 8.0
"""mean distance from grey, CIELAB units, from which clothes count as fully coloured. Chosen on the labelled clips and
the film joined from them: from 4 to 11 as few people are mixed, from 13 on two more"""

_MIN_UNLIKENESS = 0.03
"""below this, equal clothes are no more equal: uniforms"""

_CHANGED_AT_ONCE, _CHANGED_LATER = 0.05, 0.9
"""how likely one person shows other clothes a moment later (half hidden, in another light), and hours later"""

_CHANGE_S = 600.0
"""time constant of what lies between: scenes of films last one to five minutes, talks an hour"""


class WornColours:
    """The mean colours of the clothes of N tracklets. known: (N,) bool, whether a tracklet has clothes."""

    def __init__(self, tracklets: Sequence[Tracklet]) -> None:
        shares = _mean_shares(tracklets)
        self.known = np.asarray(shares.any(1), np.bool_)
        self._chroma = mean_chroma(shares)
        self._roots = np.sqrt(shares)

    def likeness(self, rows: slice, columns: slice) -> FloatArray:
        """(R, C) float32, Bhattacharyya coefficients in [0, 1]: how alike the clothes of every two tracklets are."""
        return np.asarray(np.clip(self._roots[rows] @ self._roots[columns].T, 0, 1), np.float32)

    def colour(self, rows: slice, columns: slice) -> FloatArray:
        """(R, C) float32 in [0, 1]: how colourful the clothes of two tracklets are, 0 for greys (or unknown ones)."""
        mean = (self._chroma[rows, None] + self._chroma[columns]) / 2
        return np.asarray(np.minimum(mean / COLOURFUL, 1), np.float32)


class ClothesEvidence:
    """What the clothes of every two of N tracklets say about whether they are one person.

    Equal clothes speak for one person; other clothes speak against, the less the more time lies between, because
    people change them and films change scenes.
    """

    def __init__(
        self, tracklets: Sequence[Tracklet], seconds: NDArray[np.float64], curve: ClothesCurve = CURVE
    ) -> None:
        """tracklets: of one video. seconds: (F + 1,) float64, when each frame begins to be shown, and when the last
        one ends."""
        self._worn = WornColours(tracklets)
        self._curve = curve
        self._starts = seconds[np.array([t.start for t in tracklets], np.int64)]
        self._ends = seconds[np.array([t.end for t in tracklets], np.int64)]

    def block(self, rows: slice, columns: slice) -> tuple[FloatArray, NDArray[np.bool_]]:
        """What is said of the tracklets of two slices with each other.

        Returns:
            (R, C) float32 log-odds, 0 where the clothes of one are unknown; and (R, C) bool, where both are known.
        """
        known = self._worn.known[rows, None] & self._worn.known[columns]
        odds = np.exp(self._curve.log_odds(self._worn.likeness(rows, columns), self._worn.colour(rows, columns)))
        after_s = self._starts[rows, None] - self._ends[columns]
        between_s = np.maximum(np.maximum(after_s, self._starts[columns] - self._ends[rows, None]), 0)
        changed = _CHANGED_LATER + (_CHANGED_AT_ONCE - _CHANGED_LATER) * np.exp(-between_s / _CHANGE_S)
        return np.asarray(np.where(known, np.log(changed + (1 - changed) * odds), 0), np.float32), known


def closeness(likeness: NDArray[np.floating]) -> NDArray[np.floating]:
    """-log(1 - likeness), same shape, in [0, 3.5]: a straight line in log-odds fits it."""
    return np.asarray(-np.log(np.maximum(1 - likeness, _MIN_UNLIKENESS)))


def _mean_shares(tracklets: Sequence[Tracklet]) -> FloatArray:
    """(N, HISTOGRAM_SIZE) float32: share of each colour in each tracklet's clothes; zeros where they are unknown."""
    shares = np.zeros((len(tracklets), HISTOGRAM_SIZE), np.float32)
    for row, t in enumerate(tracklets):
        if t.clothes.shape[1:] == (HISTOGRAM_SIZE,) and t.clothes.any():
            total = (t.clothes.astype(np.float32) ** 2).sum(0)
            shares[row] = total / total.sum()
    return shares
