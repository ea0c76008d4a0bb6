"""What the clothes say about whether two tracklets show one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray, Tracklet
from utils.lab_histogram import HISTOGRAM_SIZE, mean_chroma


@dataclass(frozen=True, slots=True)
class ClothesCurve:
    """log-odds = offset - (slope + colour_slope * colour) * log(1 - likeness).

    Black, white and grey clothes are so common that two people agree in them by chance.
    """

    offset: float
    slope: float
    colour_slope: float

    def log_odds(self, likeness: NDArray[np.floating], colour: NDArray[np.floating]) -> NDArray[np.floating]:
        """What clothes of this likeness and colour say, same shape. colour: 0 for greys, 1 for full colours."""
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


def clothes_log_odds(
    tracklets: Sequence[Tracklet], seconds: NDArray[np.float64], curve: ClothesCurve = CURVE
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """What the clothes of every two tracklets say about whether they are one person.

    Equal clothes speak for one person; other clothes speak against, the less the more time lies between, because
    people change them and films change scenes.

    Args:
        tracklets: N of one video.
        seconds: (F + 1,) float64, when each frame begins to be shown, and when the last one ends.

    Returns:
        (N, N) float32 log-odds, 0 where the clothes of one are unknown; and (N, N) bool, where both are known.
    """
    likeness, known = clothes_likeness(tracklets)
    odds = np.exp(curve.log_odds(likeness, pair_colour(tracklets)))
    starts = seconds[[t.start for t in tracklets]] if len(tracklets) else np.zeros(0)
    ends = seconds[[t.end for t in tracklets]] if len(tracklets) else np.zeros(0)
    between_s = np.maximum(np.maximum(starts[:, None] - ends, starts - ends[:, None]), 0)
    changed = _CHANGED_LATER + (_CHANGED_AT_ONCE - _CHANGED_LATER) * np.exp(-between_s / _CHANGE_S)
    return np.asarray(np.where(known, np.log(changed + (1 - changed) * odds), 0), np.float32), known


def clothes_likeness(tracklets: Sequence[Tracklet]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """How alike the mean colours of every two tracklets' clothes are.

    Returns:
        (N, N) float32, Bhattacharyya coefficients in [0, 1]; and (N, N) bool, where both tracklets have clothes.
    """
    shares = _mean_shares(tracklets)
    known = np.asarray(shares.any(1), np.bool_)
    roots = np.sqrt(shares)
    return np.clip(roots @ roots.T, 0, 1), known[:, None] & known


def pair_colour(tracklets: Sequence[Tracklet]) -> FloatArray:
    """(N, N) float32 in [0, 1]: how colourful the clothes of every two tracklets are, 0 for greys (or unknown ones)."""
    chroma = mean_chroma(_mean_shares(tracklets))
    return np.asarray(np.minimum((chroma[:, None] + chroma) / 2 / COLOURFUL, 1), np.float32)


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
