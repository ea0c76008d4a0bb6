"""Which tracklets of a video show the same person.

Tracklets first get provisional identities in time order, as a live system would assign them. Then, with the whole
video known, identities that mix several faces are split, single tracklets move to the person they fit better, and
identities that belong together are merged. At every step two faces seen in one frame stay two people, except somebody
beside a screen or mirror that shows them (`repeated_faces`).

Nobody is guessed into another person's folder. A person needs evidence (`new_person_evidence`). Tracklets that have it
are grouped first, so that a face of a moment never stands between two that belong together. Weak ones, without it, then
join the person whom they rather resemble than not, or whose track they continue; those that are left are people only if
they are enough evidence together, and unknown otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from config import IdentitySettings
from core.embedding_manager import SmartEmbeddingManager
from core.models.similarity import Similarity
from core.types import FaceAnalysis, IntArray, Tracklet
from processors.people.pair_evidence import ComparedTracklets, TrackletSimilarity, tracklet_similarity
from processors.people.tracklet_evidence import mean_embedding
from processors.people.tracklet_groups import CLOSENESS, TrackletGroups
from processors.people.weak_tracklets import attach_weak, attach_without_embeddings, group_weak
from utils.numbers.clustering import group_similarity, merge_clusters

_MOVE_MARGIN = 0.2
"""how much better a tracklet must fit another person to move there, in similarity"""
_MOVE_SWEEPS = 3


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
    groups = TrackletGroups(tracklets, analysis)
    compared = groups.compare(similarity)
    statistics: dict[str, float | int] = {}
    if len(groups.embedded):
        manager = SmartEmbeddingManager(
            Similarity.for_embedder(analysis.embedder),
            active_limit=settings.active_people,
            ttl_s=settings.active_seconds,
            threshold=settings.same_person,
        )
        _assign_online(groups, manager)
        statistics |= manager.statistics
        statistics["provisional_splits"] = _split(groups, settings.same_person)
        # Move before merging: one tracklet on the wrong side would be a bridge between two people.
        moved = _move(groups, settings.merge)
        merged = _merge(groups, settings.merge)
        statistics["tracklets_moved"] = moved + _move(groups, settings.merge)
        statistics["provisional_merges"] = merged + _merge(groups, settings.merge)
        attach_weak(groups, settings.merge)
        group_weak(groups, settings.merge)
    attach_without_embeddings(groups)
    return Grouping(groups.labels, statistics, compared)


def _assign_online(groups: TrackletGroups, manager: SmartEmbeddingManager) -> None:
    """Give those that are enough evidence for a person of their own to people, in time order."""
    predecessors = {link.later: link for link in groups.links}
    strong = [int(k) for k in groups.embedded if groups.is_supported([k])]
    for k in strong:
        tracklet, link = groups.tracklets[k], predecessors.get(k)
        log_odds = {}
        if link is not None and groups.labels[link.earlier] >= 0:
            log_odds[int(groups.labels[link.earlier])] = link.log_odds
        person = manager.assign(
            mean_embedding(tracklet),
            float(groups.seconds[tracklet.start] - groups.seconds[0]),
            forbidden=groups.people_beside(k).tolist(),
            weight=float(groups.weights[k]),
            log_odds=log_odds,
        )
        manager.mark_seen(person, float(groups.seconds[tracklet.end] - groups.seconds[0]))
        groups.labels[k] = person


def _split(groups: TrackletGroups, threshold: float) -> int:
    """Split provisional identities that mix several people; returns how many were added."""
    labels = groups.labels[groups.embedded]
    one, other = labels[groups.rows_apart].T
    parts = labels.copy()
    count = 0
    people = np.unique(labels[labels >= 0])
    for label in people:
        rows = np.flatnonzero(labels == label)
        apart = groups.rows_apart[(one == label) & (other == label)]
        inner = merge_clusters(
            groups.similarity.square(rows),
            np.searchsorted(rows, apart),
            threshold,
            groups.weights[groups.embedded][rows],
            closeness=CLOSENESS,
        )
        parts[rows] = count + inner
        count += int(inner.max()) + 1
    groups.labels[groups.embedded] = parts
    return count - len(people)


def _move(groups: TrackletGroups, threshold: float) -> int:
    """Move single tracklets to a person whom they fit clearly better; returns how many moved."""
    moved = 0
    for _ in range(_MOVE_SWEEPS):
        before = moved
        for row, values in groups.similarities():
            k = groups.embedded[row]
            own = int(groups.labels[k])
            if own < 0:
                continue
            fit = groups.fit(row, values)
            # A tracklet that is the only one of its person has nothing to be compared with.
            at_home = fit[own] if np.isfinite(fit[own]) else threshold
            fit[own] = -np.inf
            best = int(fit.argmax())
            if fit[best] >= max(threshold, at_home + _MOVE_MARGIN):
                groups.labels[k] = best
                moved += 1
        if moved == before:
            break
    return moved


def _merge(groups: TrackletGroups, threshold: float) -> int:
    """Merge people who are similar enough; returns by how many the people became fewer."""
    known = np.flatnonzero(groups.labels[groups.embedded] >= 0)
    names, numbers = np.unique(groups.labels[groups.embedded[known]], return_inverse=True)
    weights = groups.weights[groups.embedded[known]]
    labels = np.full(len(groups.similarity), -1)
    labels[known] = numbers
    similarity = group_similarity(
        groups.similarity, labels, groups.weights[[*groups.embedded, *groups.second]], closeness=CLOSENESS
    )
    apart = labels[groups.rows_apart]
    apart = np.unique(apart[(apart >= 0).all(1)], axis=0)
    group_weights = np.bincount(numbers, weights, len(names)).astype(np.float64)
    merged = merge_clusters(similarity, apart, threshold, group_weights, closeness=CLOSENESS)
    groups.labels[groups.embedded[known]] = merged[numbers]
    return len(names) - len(np.unique(merged))
