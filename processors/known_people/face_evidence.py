"""How strongly two sets of faces speak for one person, given how good the faces are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.models.link_curve import LinkCurve
from core.types import FloatArray

_MIN_WEIGHT = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Faces of one person. vectors: (K, D) float32, rows of unit length, K may be 0. quality: (K,) float32, [0, 1]."""

    vectors: FloatArray
    quality: FloatArray

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.quality.shape != (len(self.vectors),):
            raise ValueError(f"vectors {self.vectors.shape}, quality {self.quality.shape}")

    def __len__(self) -> int:
        return len(self.quality)

    @property
    def mean(self) -> FloatArray:
        """(D,) float32 of unit length, weighted by quality.

        Raises:
            ValueError: there are no faces.
        """
        if not len(self):
            raise ValueError("no faces")
        total = (self.vectors * np.maximum(self.quality, _MIN_WEIGHT)[:, None]).sum(0)
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), np.float32)

    def joined(self, other: FaceSet) -> FaceSet:
        """These faces and then the other ones."""
        if not len(self) or not len(other):
            return self if len(self) else other
        return FaceSet(np.concatenate([self.vectors, other.vectors]), np.concatenate([self.quality, other.quality]))

    def best(self, count: int) -> FaceSet:
        """The `count` best of the faces, in their order."""
        if len(self) <= count:
            return self
        rows = np.sort(np.argsort(-self.quality, kind="stable")[:count])
        return FaceSet(self.vectors[rows], self.quality[rows])


def log_odds(a: FaceSet, b: FaceSet, curve: LinkCurve) -> float:
    """Log-odds that the two sets are of one person; -inf where one of them is empty."""
    if not len(a) or not len(b):
        return -math.inf
    return curve.log_odds(float(a.mean @ b.mean), (float(a.quality.max()), float(b.quality.max())))


def as_similarity(odds: float) -> float:
    """Log-odds as a similarity in [0, 1]: 0.5 means as likely the same person as not."""
    return 0.5 + 0.5 * math.tanh(odds / 2)


def as_log_odds(similarity: float) -> float:
    """The log-odds of a similarity in (0, 1)."""
    return math.log(similarity / (1 - similarity))


def clearness(first: float, second: float) -> float:
    """How clearly one candidate beats another, by their log-odds: 0 a tie, 1 no comparison."""
    if first == -math.inf:
        return 0.0
    return 1.0 if second == -math.inf else math.tanh(max(first - second, 0.0) / 2)


def rival_log_odds(rival: float, one_person: float) -> float:
    """Log-odds that somebody is a rival of a candidate, and the rival is not the candidate under another number.

    rival: that somebody is the rival. one_person: that rival and candidate are one; -inf where they are said to be two.
    The odds of both are multiplied and taken off: rival / (1 + rival * one_person).
    """
    return -float(np.logaddexp(-rival, one_person))
