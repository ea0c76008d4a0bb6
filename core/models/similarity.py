"""How alike two faces are, on one scale for all embedders.

Every embedder spreads its cosines differently: dlib's of two different people lie at 0.8-0.92,
FaceNet's around 0.2 with a tail to 0.76. A logistic curve per embedder maps the cosine to [0, 1] so that
0.5 means "as likely the same person as not", and no other module knows an embedder's numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.model_spec import Calibration, calibration_of
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
        # One array all the way: a film of an hour compares thousands of tracklets with each other.
        total = np.array(cosine, np.float64)
        total -= self.calibration.midpoint
        total *= self.calibration.slope
        total += log_odds
        total /= 2
        # tanh form: no overflow however far the cosine lies from the midpoint.
        np.tanh(total, out=total)
        total += 1
        total *= 0.5
        return total.astype(np.float32)

    def to_cosine(self, similarity: float) -> float:
        """The cosine that has this similarity in (0, 1); may lie outside [-1, 1]."""
        return self.calibration.midpoint + float(np.log(similarity / (1 - similarity))) / self.calibration.slope
