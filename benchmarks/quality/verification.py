"""Same person or not, measured on pairs: pure functions on the cosines of pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from core.models.embedder_spec import Calibration
from core.types import FloatArray

BoolArray = NDArray[np.bool_]


def true_positive_rate(cosines: FloatArray, same: BoolArray, false_positive_rate: float) -> float:
    """Share of the pairs of one person above the cosine that this share of the other pairs exceeds; nan without pairs.

    cosines, same: (P,).
    """
    positive, negative = cosines[same], np.sort(cosines[~same])
    if not len(positive) or not len(negative):
        return float("nan")
    allowed = int(false_positive_rate * len(negative))
    return float((positive > negative[len(negative) - 1 - allowed]).mean())


def area_under_curve(cosines: FloatArray, same: BoolArray) -> float:
    """How often a pair of one person has a higher cosine than one of two people; equal ones count half.

    nan without pairs of both kinds. cosines, same: (P,).
    """
    positive, negative = cosines[same], np.sort(cosines[~same])
    if not len(positive) or not len(negative):
        return float("nan")
    below = np.searchsorted(negative, positive, "left") + np.searchsorted(negative, positive, "right")
    return float(below.mean() / 2 / len(negative))


def fitted(cosines: FloatArray, same: BoolArray, weight: float = 1.0) -> Calibration:
    """The logistic curve of largest likelihood for the pairs. cosines, same: (P,).

    weight: how often a pair of one person counts. It says how frequent such pairs are where the curve is used: among
    the pairs of these clips they are few.
    """
    # Standardised, because dlib's cosines differ in the second digit only.
    centre, spread = float(np.mean(cosines)), max(float(np.std(cosines)), 1e-6)
    x, sign = (cosines.astype(np.float64) - centre) / spread, np.where(same, 1.0, -1.0)
    weights = np.where(same, weight, 1.0)
    weights /= weights.sum()

    def loss(parameters: NDArray[np.float64]) -> float:
        midpoint, slope = parameters
        # The faint penalty keeps the slope finite where the pairs can be separated.
        return float(weights @ np.logaddexp(0, -sign * slope * (x - midpoint)) + 1e-5 * slope * slope)

    midpoint, slope = minimize(loss, np.array([2.0, 1.0]), method="Nelder-Mead").x
    return Calibration(midpoint=centre + spread * float(midpoint), slope=float(slope) / spread)


def weight_for(cosines: FloatArray, same: BoolArray, midpoint: float) -> float:
    """The weight with which `fitted` gives this midpoint: how strict a curve is that was set by hand."""
    low, high = -5.0, 10.0
    while high - low > 0.01:
        middle = (low + high) / 2
        if fitted(cosines, same, float(np.exp(middle))).midpoint > midpoint:
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


def log_loss(cosines: FloatArray, same: BoolArray, curve: Calibration, weight: float = 1.0) -> float:
    """Mean of -log of the probability that `curve` gives to what is true, nats. weight: see `fitted`."""
    odds = curve.slope * (cosines.astype(np.float64) - curve.midpoint)
    return float(np.average(np.logaddexp(0, np.where(same, -odds, odds)), weights=np.where(same, weight, 1.0)))


def shares_of_equal_spread(cosines: dict[str, FloatArray], same: BoolArray) -> dict[str, float]:
    """Shares, adding up to 1, by which cosines of several networks count alike: 1 / deviation over different people."""
    weights = {name: 1 / float(np.std(values[~same])) for name, values in cosines.items()}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


def left_out_losses(
    cosines: FloatArray, same: BoolArray, clips: Sequence[tuple[str, str]], weight: float = 1.0
) -> dict[str, tuple[float, int]]:
    """Log-loss, and number of pairs, of each clip by a curve that was fitted without any pair of it.

    clips: (P,), the clips of each pair. weight: see `fitted`.
    """
    first, second = (np.array(names) for names in zip(*clips, strict=True))
    found = {}
    for clip in sorted({*first, *second}):
        own = (first == clip) | (second == clip)
        curve = fitted(cosines[~own], same[~own], weight)
        found[str(clip)] = log_loss(cosines[own], same[own], curve, weight), int(own.sum())
    return found
