"""What the clothes say about whether two tracklets show one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray, Tracklet


@dataclass(frozen=True, slots=True)
class ClothesCurve:
    """log-odds = offset - slope * log(1 - likeness)."""

    offset: float
    slope: float

    def log_odds(self, likeness: NDArray[np.floating]) -> NDArray[np.floating]:
        """What clothes of this likeness say, same shape."""
        return np.asarray(self.offset - self.slope * np.log(np.maximum(1 - likeness, MIN_UNLIKENESS)))


CURVE = ClothesCurve(offset=-5.0, slope=3.1)
"""a likeness of 0.8 says nothing"""

MIN_UNLIKENESS = 0.03
"""below this, equal clothes are no more equal: uniforms, dark suits"""

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
    odds = np.exp(curve.log_odds(likeness))
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
    known = np.array([bool(t.clothes.any()) for t in tracklets], bool)
    size = max((t.clothes.shape[1] for t in tracklets if len(t.clothes)), default=0)
    roots = np.zeros((len(tracklets), size), np.float32)
    for row, t in enumerate(tracklets):
        if known[row]:
            shares = (t.clothes.astype(np.float32) ** 2).sum(0)
            roots[row] = np.sqrt(shares / shares.sum())
    return np.clip(roots @ roots.T, 0, 1), known[:, None] & known
