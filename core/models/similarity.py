"""Similarity of two faces on one scale for all embedders.

Cosines are distributed differently for every embedder: for two different people dlib's lie at 0.8 to 0.92, FaceNet's
around 0.2 with a tail to 0.76. A logistic curve per embedder maps the cosine to [0, 1] so that 0.5 means "as likely the
same person as not". No other module depends on the cosines of an embedder.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.embedder_spec import Calibration, calibration_of
from core.types import FloatArray


class Similarity:
    """Calibrated similarity of unit vectors.

    Args:
        calibration: the embedder's curve.
    """

    def __init__(self, calibration: Calibration) -> None:
        self.calibration = calibration

    @classmethod
    def for_embedder(cls, name: str) -> Similarity:
        """The curve of `name` ("dlib", "facenet").

        Raises:
            ModelError: no embedder of that name is calibrated.
        """
        return cls(calibration_of(name))

    def from_cosine(self, cosine: FloatArray | float, log_odds: FloatArray | float = 0.0) -> NDArray[np.float32]:
        """Similarity in [0, 1], same shape, float32. log_odds: prior evidence to add, a number or of that shape."""
        # In place: an hour of video has thousands of tracklets, which are all compared with each other.
        total = np.array(cosine, np.float64)
        total -= self.calibration.midpoint
        total *= self.calibration.slope
        total += log_odds
        total /= 2
        # The tanh form does not overflow, however far the cosine is from the midpoint.
        np.tanh(total, out=total)
        total += 1
        total *= 0.5
        return total.astype(np.float32)

    def to_cosine(self, similarity: float) -> float:
        """The cosine that has this similarity in (0, 1); may lie outside [-1, 1]."""
        return self.calibration.midpoint + float(np.log(similarity / (1 - similarity))) / self.calibration.slope


SHARPNESS_MIDDLE = 40.0
"""variance of the Laplacian on an aligned face of 64 px at which focus is 0"""
SHARPNESS_RANGE = (10.0, 100.0)
"""outside, more or less focus changes nothing"""


def focus_of(sharpness: FloatArray) -> FloatArray:
    """(N,) float32: doublings of sharpness, 0 at `SHARPNESS_MIDDLE`."""
    return np.asarray(np.log2(np.clip(sharpness, *SHARPNESS_RANGE) / SHARPNESS_MIDDLE), np.float32)
