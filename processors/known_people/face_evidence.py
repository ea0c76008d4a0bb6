"""How strong the evidence of two sets of faces for one person is, given the quality of the faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.models.link_curve import LinkCurve
from core.types import FloatArray, IntArray

_MIN_WEIGHT = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Faces of one person.

    vectors: (K, D) float32, rows of unit length, K may be 0. quality: (K,) float32, [0, 1]. appearances: (K,) int64,
    equal where faces come from one video; None where all of them do, or are photos.
    """

    vectors: FloatArray
    quality: FloatArray
    appearances: IntArray | None = None

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.quality.shape != (len(self.vectors),):
            raise ValueError(f"vectors {self.vectors.shape}, quality {self.quality.shape}")
        if self.appearances is not None and self.appearances.shape != self.quality.shape:
            raise ValueError(f"appearances {self.appearances.shape}, quality {self.quality.shape}")

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

    @property
    def by_appearance(self) -> list[FaceSet]:
        """The faces of each appearance, those of lower numbers first."""
        if self.appearances is None:
            return [self]
        groups = (self.appearances == number for number in np.unique(self.appearances))
        return [FaceSet(self.vectors[rows], self.quality[rows]) for rows in groups]

    def joined(self, other: FaceSet, *, one_appearance: bool = False) -> FaceSet:
        """These faces and the other ones. one_appearance: all are of one video, or photos."""
        if not len(self) or not len(other):
            return self if len(self) else other
        numbers = None
        if not one_appearance:
            own, more = (np.zeros(len(s), np.int64) if s.appearances is None else s.appearances for s in (self, other))
            numbers = np.concatenate([own, more - more.min() + own.max() + 1])
        return FaceSet(
            np.concatenate([self.vectors, other.vectors]), np.concatenate([self.quality, other.quality]), numbers
        )

    def best(self, count: int) -> FaceSet:
        """The `count` best of the faces, in their order."""
        if len(self) <= count:
            return self
        rows = np.sort(np.argsort(-self.quality, kind="stable")[:count])
        return FaceSet(
            self.vectors[rows], self.quality[rows], None if self.appearances is None else self.appearances[rows]
        )


def log_odds(a: FaceSet, b: FaceSet, curve: LinkCurve) -> float:
    """Log-odds that the two sets are of one person; -inf where one of them is empty.

    The curve was chosen on single appearances. In the mean of several, what changes from one to the next averages out,
    and the means of two people come closer by that, too: the mean alone says too much. So half of the evidence is what
    single appearances say: the better half of their pairs, since somebody may look otherwise in some videos.
    """
    if not len(a) or not len(b):
        return -math.inf
    whole = float(_pairs_log_odds([a], [b], curve)[0, 0])
    if a.appearances is None and b.appearances is None:
        return whole
    pairs = np.sort(_pairs_log_odds(a.by_appearance, b.by_appearance, curve), axis=None)
    return (whole + float(pairs[pairs.size // 2 :].mean())) / 2


def _pairs_log_odds(a: Sequence[FaceSet], b: Sequence[FaceSet], curve: LinkCurve) -> NDArray[np.float64]:
    """(A, B) log-odds by the means of two sets and by the best face of each."""
    means, others = (np.stack([one.mean for one in sets]) for sets in (a, b))
    best, of_others = (np.array([one.quality.max() for one in sets]) for sets in (a, b))
    return curve.log_odds(means @ others.T, (best[:, None], of_others[None, :]))


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
