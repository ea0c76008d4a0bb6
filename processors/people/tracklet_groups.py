"""Who is who among one video's tracklets while it is worked out: what is known of them, and the people so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import FaceAnalysis, FloatArray, IntArray, Tracklet
from processors.people.faces_with_eyes import recognisable
from processors.people.new_person_evidence import supports_new_person
from processors.people.pair_evidence import ComparedTracklets, TrackletSimilarity, compare
from processors.people.repeated_faces import second_tracklets
from processors.people.tracklet_evidence import (
    Continuation,
    continuations,
    replaced,
    seen_together,
    tracklet_weights,
)
from utils.numbers.pair_matrix import PairMatrix, item_blocks

CLOSENESS = 0.3
"""how far the similarity of two people is drawn from the mean over their tracklets towards the most similar pair,
because two views of one person (profile and front) may have little in common"""


class TrackletGroups:
    """The labels of one video's tracklets, and what speaks for and against each.

    labels: (N,) int64, person of each tracklet, -1 unknown; whoever works on them changes them.
    tracklets: N, in time order. weights: (N,) float64 > 0, what each counts in a mean.
    embedded: (K,) int64, positions of the tracklets that count as evidence: those with embeddings that are not a
        second track on a face which is tracked already. A "row" is an index into `embedded`.
    second: (M,) int64, positions of second tracks with embeddings, among them those of people on a screen or in a
        mirror beside themselves.
    row_of: (N,) int64, row of each tracklet, -1 for the others.
    rows_apart: (J, 2) int64, rows of two people.
    seconds: (F + 1,) float64, when each frame begins to be shown, and when the last one ends.
    links: which tracklet continues which, by position. linked: of each, whom it continues and who continues it.
    similarity: of `embedded` and `second`, in this order, once they are compared.
    """

    def __init__(self, tracklets: Sequence[Tracklet], analysis: FaceAnalysis) -> None:
        self.labels: IntArray = np.full(len(tracklets), -1, np.int64)
        self._analysis = analysis
        size = (analysis.video.width, analysis.video.height)
        tracklets = [recognisable(t, size) for t in tracklets]
        self.tracklets = tracklets
        self.seconds = analysis.bounds_s
        self._starts_s = self.seconds[np.array([t.start for t in tracklets], np.int64)]
        self._ends_s = self.seconds[np.array([t.end for t in tracklets], np.int64)]
        together = seen_together(tracklets, size)
        apart = np.concatenate([together, replaced(tracklets)])
        self._together = _neighbours(apart, len(tracklets))
        has_face = np.array([len(t.embeddings) > 0 for t in tracklets], bool)
        is_second = second_tracklets(tracklets, together, analysis)
        self.embedded: IntArray = np.flatnonzero(has_face & ~is_second)
        self.second: IntArray = np.flatnonzero(has_face & is_second)
        self.row_of = np.full(len(tracklets), -1, np.int64)
        self.row_of[self.embedded] = np.arange(len(self.embedded))
        self.rows_apart = self.row_of[apart[(self.row_of[apart] >= 0).all(1)]]
        self.links: list[Continuation] = continuations(tracklets, self.seconds)
        linked = np.array([(link.earlier, link.later) for link in self.links], np.int64).reshape(-1, 2)
        self.linked = _neighbours(linked, len(tracklets))
        self.weights = tracklet_weights(tracklets)
        self.similarity = PairMatrix.of(np.zeros((0, 0)))

    def compare(self, similarity: TrackletSimilarity) -> ComparedTracklets:
        """Compare all tracklets with embeddings; those that count as evidence come first, in their order."""
        evidence, second = ([self.tracklets[k] for k in rows] for rows in (self.embedded, self.second))
        compared = compare(evidence, second, self._analysis, similarity)
        self.similarity = compared.similarity
        return compared

    def similarities(self) -> Iterator[tuple[int, FloatArray]]:
        """Each row with the similarities, (K,) float32, of its tracklet to all that count as evidence."""
        count = len(self.embedded)
        for rows in item_blocks(count):
            values = self.similarity.rows(np.arange(rows.start, rows.stop))
            yield from zip(range(rows.start, rows.stop), values[:, :count], strict=True)

    def fit(self, row: int, similarities: FloatArray) -> NDArray[np.float64]:
        """(P,) similarity of an embedded tracklet to every person, without itself; -inf where it cannot be them.

        similarities: (K,) float32, to every embedded tracklet.
        """
        k = int(self.embedded[row])
        labels = self.labels[self.embedded]
        counted = labels >= 0
        counted[row] = False
        groups, people = labels[counted], int(self.labels.max(initial=0)) + 1
        weights = self.weights[self.embedded][counted]
        values = similarities[counted].astype(np.float64)
        mass = np.bincount(groups, weights, people)
        mean = np.bincount(groups, weights * values, people) / np.maximum(mass, 1e-12)
        best = np.zeros(people)
        np.maximum.at(best, groups, values)
        fit = mean + CLOSENESS * (best - mean)
        fit[mass == 0] = -np.inf
        fit[self.people_beside(k)] = -np.inf
        return np.asarray(fit, np.float64)

    def people_beside(self, k: int) -> IntArray:
        """The people, some perhaps several times, who are seen in one frame with a tracklet at another place."""
        beside = self.labels[self._together[k]]
        return beside[beside >= 0]

    def is_near(self, k: int, people: int, within_s: float) -> NDArray[np.bool_]:
        """(P,) bool: which people were seen during a tracklet or at most `within_s` seconds before or after it."""
        is_near = self._starts_s <= self._ends_s[k] + within_s
        is_near &= self._ends_s >= self._starts_s[k] - within_s
        found = np.zeros(people, bool)
        found[self.labels[is_near & (self.labels >= 0)]] = True
        return found

    def is_supported(self, members: Iterable[int]) -> bool:
        """Whether tracklets, positions of which are given, are enough evidence for a person of their own."""
        return supports_new_person([self.tracklets[k] for k in members], self.seconds)


def _neighbours(pairs: IntArray, count: int) -> list[IntArray]:
    """Of each of `count` positions those that it is paired with. pairs: (M, 2) int64."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    return np.split(both[:, 1], np.searchsorted(both[:, 0], np.arange(1, count)))
