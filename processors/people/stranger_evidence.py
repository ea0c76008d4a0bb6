"""Measures how similar the blurred faces of two different people are in this film.

Out of focus or enlarged, the faces of one camera set-up resemble each other whoever they show, by an amount that
differs from film to film. Faces seen together in one frame are surely two people (`tracklet_evidence.seen_together`),
so each film gives its own measure. Similarity that strangers have here, beyond what they usually have, is no evidence
for one person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray, IntArray, Tracklet
from processors.people.tracklet_evidence import SampleCosines, seen_together

REACH_S = 10.0
"""seconds before and after a tracklet in which strangers tell about its faces: the same set-up, or its other side"""

_PRIOR_PAIRS = 1.0
"""wholly blurred pairs of ordinary strangers that are added to those seen: one pair says half of what many say"""


class StrangerEvidence:
    """How much of the cosines of N tracklets is owed to blur, by the strangers seen around each.

    Time: O(N + K log K). Memory: some numbers of each.
    """

    def __init__(
        self,
        tracklets: Sequence[Tracklet],
        seconds: NDArray[np.float64],
        size: tuple[int, int],
        focus: FloatArray,
        cosines: SampleCosines,
        ordinary: float,
    ) -> None:
        """Look at the strangers.

        Args:
            tracklets: N of them, in any order.
            seconds: (F + 1,) float64, when each frame begins to be shown, and when the last one ends.
            size: width and height of the frames, display px.
            focus: (N,) float32, from `focus_of`.
            cosines: of the same tracklets.
            ordinary: mean cosine of blurred strangers of any film.
        """
        blur = blur_of(focus)
        # Comparing boxes frame by frame is most of the work, so it is left out for faces in focus.
        blurred = np.flatnonzero(blur)
        together = blurred[seen_together([tracklets[k] for k in blurred.tolist()], size)]
        shares = blur[together].min(1)
        alike = np.array([cosines.block(slice(a, a + 1), slice(b, b + 1))[0, 0] for a, b in together.tolist()])
        spans = seconds[np.array([(t.start, t.end) for t in tracklets], np.int64).reshape(-1, 2)]
        self._surplus = blur * mean_surplus(spans, together, shares, alike - ordinary)

    def block(self, rows: slice, columns: slice) -> FloatArray:
        """(R, C) float32 >= 0: what is to be taken off the cosines of the tracklets of two slices with each other.

        0 where one of the two is in focus, or has no strangers who are alike around it.
        """
        return np.asarray(np.minimum(self._surplus[rows, None], self._surplus[columns]), np.float32)


def blur_of(focus: FloatArray) -> FloatArray:
    """(N,) float32 in [0, 1]: lack of focus, from 0 at the middle sharpness to 1 at half of it and less."""
    return np.clip(-focus, 0, 1).astype(np.float32)


def mean_surplus(
    spans: NDArray[np.float64], together: IntArray, shares: FloatArray, surplus: NDArray[np.floating]
) -> FloatArray:
    """(N,) float32 >= 0: by how much the strangers around each tracklet are more alike than ordinary ones.

    Args:
        spans: (N, 2) float64, begin and end of each tracklet, s.
        together: (K, 2) int64, positions of tracklets of two people, whose spans overlap.
        shares: (K,) what each pair counts, up to 1.
        surplus: (K,) cosine above that of ordinary strangers.
    """
    begins, ends = spans[together, 0].max(1), spans[together, 1].min(1)
    values = np.stack([shares, shares * surplus]).astype(np.float64)
    # Everything that begins before the window ends, without what ends before it begins: no pair is looked at twice.
    found = _sums_until(begins, values, spans[:, 1] + REACH_S, "right")
    found -= _sums_until(ends, values, spans[:, 0] - REACH_S, "left")
    return np.asarray(np.maximum(found[1] / (found[0] + _PRIOR_PAIRS), 0), np.float32)


def _sums_until(
    times: NDArray[np.float64], values: NDArray[np.float64], limits: NDArray[np.float64], side: Literal["left", "right"]
) -> NDArray[np.float64]:
    """(2, N) sums of the (2, K) `values` whose times lie below each limit; or at it, if `side` is "right"."""
    order = np.argsort(times, kind="stable")
    sums = np.concatenate([np.zeros((2, 1)), np.cumsum(values[:, order], axis=1)], axis=1)
    return sums[:, np.searchsorted(times[order], limits, side=side)]
