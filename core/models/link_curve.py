"""How alike the faces of two files are: what a cosine says where there is no other evidence.

Within a video, clothes, place and time support what a face says. Between files there is only the face, and poor faces
of two people are as alike to a recognition network as clear faces of one person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

GOOD_QUALITY = 0.9
"""quality of a face (`processors.faces.face_sampler.face_quality`) from which nothing is discounted"""


@dataclass(frozen=True, slots=True)
class LinkCurve:
    """log-odds = slope * (cosine - midpoint) - poorer * (lack of the poorer side) - better * (lack of the better one).

    A side lacks what the quality of its best face is below `GOOD_QUALITY`. `better` is right for a network to which
    faces of two people are alike by mistake only where both are poor, `poorer` for one that one poor face misleads.
    """

    midpoint: float
    slope: float
    poorer: float = 0.0
    better: float = 0.0

    def __post_init__(self) -> None:
        if not (-1 < self.midpoint < 1 and self.slope > 0 and min(self.poorer, self.better) >= 0):
            raise ValueError(f"{self}: expected a midpoint in (-1, 1), a slope > 0 and discounts >= 0")

    def log_odds(self, cosine: ArrayLike, quality: tuple[ArrayLike, ArrayLike]) -> NDArray[np.float64]:
        """Log-odds that two people of two files are one: (...) float64, for each pair.

        cosine: (...) of the means of their faces' embeddings. quality: (...) twice, of the best face of each, [0, 1].
        """
        one, other = (np.maximum(GOOD_QUALITY - np.asarray(best, np.float64), 0.0) for best in quality)
        discount = self.poorer * np.maximum(one, other) + self.better * np.minimum(one, other)
        return np.asarray(self.slope * (np.asarray(cosine, np.float64) - self.midpoint) - discount, np.float64)

    def least_cosine(self, log_odds: float) -> float:
        """The cosine below which no two faces, however good, have these log-odds."""
        return self.midpoint + log_odds / self.slope


@dataclass(frozen=True, slots=True)
class LinkCurves:
    """How an embedder's cosines are read between files.

    same_kind: two videos, or two photos. photo_and_video: a reference photo and somebody in a video. Such a photo is
    sharp, of one face and chosen for it, so that a stranger's cosine to it is lower than to most faces of a video.
    """

    same_kind: LinkCurve
    photo_and_video: LinkCurve

    @classmethod
    def one(cls, curve: LinkCurve) -> LinkCurves:
        """The same curve for photos, where they were not measured apart, or are not chosen ones."""
        return cls(curve, curve)

    def least_cosine(self, log_odds: float) -> float:
        """The cosine below which no two faces, however good and wherever they are from, have these log-odds."""
        return min(self.same_kind.least_cosine(log_odds), self.photo_and_video.least_cosine(log_odds))
