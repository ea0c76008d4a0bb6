"""Which tracklets of a video show the same person.

Tracklets first get provisional identities in time order, as a live system would assign them. Then, with the whole
video known, identities that mix several faces are split, single tracklets move to the person they fit better, and
identities that belong together are merged. At every step two faces seen in one frame stay two people.

Nobody is guessed into another person's folder. A person needs evidence (`new_person_evidence`). A tracklet without it
only joins a person who was seen shortly before or after and whom it rather resembles than not, or whose track it
continues; otherwise it stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from config import IdentitySettings
from core.embedding_manager import SmartEmbeddingManager
from core.models.similarity import Similarity
from core.types import FaceAnalysis, FloatArray, IntArray, Tracklet
from processors.people.new_person_evidence import supports_new_person
from processors.people.pair_evidence import ComparedTracklets, TrackletSimilarity, compare, tracklet_similarity
from processors.people.tracklet_evidence import (
    Continuation,
    continuations,
    duplicate_tracklets,
    mean_embedding,
    seen_together,
    tracklet_weights,
)
from utils.clustering import group_similarity, merge_clusters
from utils.pair_matrix import PairMatrix, item_blocks

_CLOSENESS = 0.3
"""how far the similarity of two people is drawn from the mean over their tracklets towards the most similar pair,
because two views of one person (profile and front) may have little in common"""
_MOVE_MARGIN = 0.2
"""how much better a tracklet must fit another person to move there, in similarity"""
_MOVE_SWEEPS = 3
_NEARBY_S = 2.0
"""how long before or after a person was seen, seconds, a tracklet with weak evidence may still join them"""
_NEARBY_SIMILARITY = 0.5
"""similarity that such a tracklet needs, even odds, however strict the settings are: with 0.3, having been near in time
was enough to join somebody dark or blurred, of whom a face says little either way"""


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """labels: (N,) int64, person of each tracklet, -1 where unknown; numbers have no order and may have gaps.

    statistics: counts of what was done, for the manifest. compared: all tracklets with embeddings.
    """

    labels: IntArray
    statistics: dict[str, float | int]
    compared: ComparedTracklets


def group_tracklets(
    tracklets: Sequence[Tracklet],
    analysis: FaceAnalysis,
    settings: IdentitySettings,
    similarity: TrackletSimilarity = tracklet_similarity,
) -> Grouping:
    """Group the tracklets of one video by person.

    Args:
        tracklets: N, in time order.
        analysis: of the video that they come from.
        settings: similarity thresholds and size of the active set.
        similarity: by which they are compared.

    Raises:
        ModelError: the analysis names an embedder without calibration.
    """
    grouper = _Grouper(tracklets, analysis)
    compared = grouper.compare(similarity)
    statistics: dict[str, float | int] = {}
    if len(grouper.embedded):
        manager = SmartEmbeddingManager(
            Similarity.for_embedder(analysis.embedder),
            active_limit=settings.active_people,
            ttl_s=settings.active_seconds,
            threshold=settings.same_person,
        )
        grouper.assign_online(manager)
        statistics |= manager.statistics
        statistics["provisional_splits"] = grouper.split(settings.same_person)
        # Move before merging: one tracklet on the wrong side would be a bridge between two people.
        moved = grouper.move(settings.merge)
        merged = grouper.merge(settings.merge)
        statistics["tracklets_moved"] = moved + grouper.move(settings.merge)
        statistics["provisional_merges"] = merged + grouper.merge(settings.merge)
        grouper.dissolve_weak()
    grouper.attach_faceless()
    return Grouping(grouper.labels, statistics, compared)


class _Grouper:
    """The labels of one video's tracklets while they are worked out.

    labels: (N,) int64, person of each tracklet, -1 unknown.
    embedded: (K,) int64, positions of the tracklets that count as evidence: those with embeddings that are not a
        second track on a face which is tracked already. "Row" below is an index into `embedded`.
    """

    def __init__(self, tracklets: Sequence[Tracklet], analysis: FaceAnalysis) -> None:
        self.labels: IntArray = np.full(len(tracklets), -1, np.int64)
        self._tracklets = list(tracklets)
        self._analysis = analysis
        self._seconds = analysis.bounds_s
        self._starts_s = self._seconds[np.array([t.start for t in tracklets], np.int64)]
        self._ends_s = self._seconds[np.array([t.end for t in tracklets], np.int64)]
        size = (analysis.video.width, analysis.video.height)
        together = seen_together(tracklets, size)
        self._together = _neighbours(together, len(tracklets))
        has_face = np.array([len(t.embeddings) > 0 for t in tracklets], bool)
        duplicate = duplicate_tracklets(tracklets, size)
        self.embedded: IntArray = np.flatnonzero(has_face & ~duplicate)
        self._second: IntArray = np.flatnonzero(has_face & duplicate)
        rows = np.full(len(tracklets), -1, np.int64)
        rows[self.embedded] = np.arange(len(self.embedded))
        self._rows_apart: IntArray = rows[together[(rows[together] >= 0).all(1)]]
        self._links: list[Continuation] = continuations(tracklets, self._seconds)
        self._weights = tracklet_weights(tracklets)
        self._similarity = PairMatrix.of(np.zeros((0, 0)))

    def compare(self, similarity: TrackletSimilarity) -> ComparedTracklets:
        """Compare all tracklets with embeddings; those that count as evidence come first, in their order."""
        evidence, second = ([self._tracklets[k] for k in rows] for rows in (self.embedded, self._second))
        compared = compare(evidence, second, self._analysis, similarity)
        self._similarity = compared.similarity
        return compared

    def assign_online(self, manager: SmartEmbeddingManager) -> None:
        predecessors = {link.later: link for link in self._links}
        for k in self.embedded:
            tracklet, link = self._tracklets[k], predecessors.get(int(k))
            log_odds = {}
            if link is not None and self.labels[link.earlier] >= 0:
                log_odds[int(self.labels[link.earlier])] = link.log_odds
            person = manager.assign(
                mean_embedding(tracklet),
                float(self._seconds[tracklet.start] - self._seconds[0]),
                forbidden=self._people_beside(int(k)).tolist(),
                weight=float(self._weights[k]),
                log_odds=log_odds,
            )
            manager.mark_seen(person, float(self._seconds[tracklet.end] - self._seconds[0]))
            self.labels[k] = person

    def split(self, threshold: float) -> int:
        """Split provisional identities that mix several people; returns how many were added."""
        labels = self.labels[self.embedded]
        one, other = labels[self._rows_apart].T
        parts = labels.copy()
        count = 0
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            apart = self._rows_apart[(one == label) & (other == label)]
            inner = merge_clusters(
                self._similarity.square(rows),
                np.searchsorted(rows, apart),
                threshold,
                self._weights[self.embedded][rows],
                closeness=_CLOSENESS,
            )
            parts[rows] = count + inner
            count += int(inner.max()) + 1
        added = count - len(np.unique(labels))
        self.labels[self.embedded] = parts
        return added

    def merge(self, threshold: float) -> int:
        """Merge people who are similar enough; returns by how many the people became fewer."""
        names, groups = np.unique(self.labels[self.embedded], return_inverse=True)
        weights = self._weights[self.embedded]
        labels = np.concatenate([groups, np.full(len(self._second), -1)])
        similarity = group_similarity(
            self._similarity, labels, self._weights[[*self.embedded, *self._second]], closeness=_CLOSENESS
        )
        apart = np.unique(groups[self._rows_apart], axis=0)
        group_weights = np.bincount(groups, weights, len(names)).astype(np.float64)
        merged = merge_clusters(similarity, apart, threshold, group_weights, closeness=_CLOSENESS)
        self.labels[self.embedded] = merged[groups]
        return len(names) - len(np.unique(merged))

    def move(self, threshold: float) -> int:
        """Move single tracklets to a person whom they fit clearly better; returns how many moved."""
        moved = 0
        for _ in range(_MOVE_SWEEPS):
            before = moved
            for row, values in self._similarities():
                k = self.embedded[row]
                fit = self._fit(row, values)
                own = int(self.labels[k])
                # A tracklet that is the only one of its person has nothing to be compared with.
                at_home = fit[own] if np.isfinite(fit[own]) else threshold
                fit[own] = -np.inf
                best = int(fit.argmax())
                if fit[best] >= max(threshold, at_home + _MOVE_MARGIN):
                    self.labels[k] = best
                    moved += 1
            if moved == before:
                break
        return moved

    def _similarities(self) -> Iterator[tuple[int, FloatArray]]:
        """Each row with the similarities, (K,) float32, of its tracklet to all that count as evidence."""
        count = len(self.embedded)
        for rows in item_blocks(count):
            values = self._similarity.rows(np.arange(rows.start, rows.stop))
            yield from zip(range(rows.start, rows.stop), values[:, :count], strict=True)

    def _fit(self, row: int, similarities: FloatArray) -> NDArray[np.float64]:
        """(P,) similarity of an embedded tracklet to every person, without itself; -inf where it cannot be them.

        similarities: (K,) float32, to every embedded tracklet.
        """
        k = int(self.embedded[row])
        labels = self.labels[self.embedded]
        counted = labels >= 0
        counted[row] = False
        groups, people = labels[counted], int(self.labels.max(initial=0)) + 1
        weights = self._weights[self.embedded][counted]
        values = similarities[counted].astype(np.float64)
        mass = np.bincount(groups, weights, people)
        mean = np.bincount(groups, weights * values, people) / np.maximum(mass, 1e-12)
        best = np.zeros(people)
        np.maximum.at(best, groups, values)
        fit = mean + _CLOSENESS * (best - mean)
        fit[mass == 0] = -np.inf
        fit[self._people_beside(k)] = -np.inf
        return np.asarray(fit, np.float64)

    def dissolve_weak(self) -> None:
        """Undo people without enough evidence; their tracklets join somebody seen nearby in time, or nobody."""
        weak: list[int] = []
        for label in np.unique(self.labels[self.embedded]):
            members = self.embedded[self.labels[self.embedded] == label]
            if not supports_new_person([self._tracklets[k] for k in members], self._seconds):
                weak += members.tolist()
        self.labels[weak] = -1
        rows = {int(k): row for row, k in enumerate(self.embedded)}
        for k in sorted(weak):
            row = np.array([rows[k]])
            fit = self._fit(rows[k], self._similarity.rows(row)[0, : len(self.embedded)])
            fit[~self._is_near(k, len(fit))] = -np.inf
            best = int(fit.argmax())
            if fit[best] >= _NEARBY_SIMILARITY:
                self.labels[k] = best

    def attach_faceless(self) -> None:
        """Give tracklets without embeddings to the person whose track they continue or who continues theirs."""
        changed = True
        while changed:
            changed = False
            for link in self._links:
                for source, target in ((link.earlier, link.later), (link.later, link.earlier)):
                    person = self.labels[source]
                    free = self.labels[target] < 0 and len(self._tracklets[target].embeddings) == 0
                    if free and person >= 0 and person not in self._people_beside(target):
                        self.labels[target] = person
                        changed = True

    def _people_beside(self, k: int) -> IntArray:
        """The people, some perhaps several times, who are seen in one frame with a tracklet at another place."""
        beside = self.labels[self._together[k]]
        return beside[beside >= 0]

    def _is_near(self, k: int, people: int) -> NDArray[np.bool_]:
        """(P,) bool: which people were seen shortly before, during or after a tracklet."""
        is_near = self._starts_s <= self._ends_s[k] + _NEARBY_S
        is_near &= self._ends_s >= self._starts_s[k] - _NEARBY_S
        found = np.zeros(people, bool)
        found[self.labels[is_near & (self.labels >= 0)]] = True
        return found


def _neighbours(pairs: IntArray, count: int) -> list[IntArray]:
    """Of each of `count` positions those that it is paired with. pairs: (M, 2) int64."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    return np.split(both[:, 1], np.searchsorted(both[:, 0], np.arange(1, count)))
