"""From tracklets to people to segments: the timeline of one video.

Tracklets get provisional identities in time order, as a live system would give them. Then, with the whole video
known, provisional identities that mix faces are split, those that belong together are merged, and single
tracklets that fit elsewhere move. At every step two faces of one picture stay two people.

Nobody is guessed into somebody's folder. A person needs evidence: some face that could be embedded and
`_FOUNDING_S` in the picture. Where that is missing, a tracklet only joins a person seen shortly before or after
whom it resembles at least a little, or whose track it continues; else it is `unknown`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from config import ClipSettings, IdentitySettings
from core.embedding_manager import SmartEmbeddingManager
from core.models.similarity import Similarity
from core.types import FaceAnalysis, FloatArray, Identity, IntArray, Segment, Timeline, Tracklet
from processors.people.tracklet_evidence import (
    STILL_LIFE_S,
    Continuation,
    continuations,
    duplicate_tracklets,
    is_still,
    mean_embedding,
    sample_cosines,
    seen_together,
)
from utils.clustering import group_similarity, merge_clusters

logger = logging.getLogger(__name__)

_CLOSENESS = 0.3
"""how far two people's similarity is drawn from the mean towards their most similar tracklets (profile and front)"""
_MOVE_MARGIN = 0.2
"""how much better another person must fit before a tracklet changes sides"""
_MOVE_SWEEPS = 3
_FOUNDING_S = 0.4
"""seconds in the picture that make a person of somebody who resembles nobody"""
_FOUNDING_QUALITY = 0.1
"""quality of the best embedded face that makes a person"""
_NEARBY_S = 2.0
"""how long before or after a person was seen weak evidence may still join them"""
_NEARBY_SIMILARITY = 0.3
"""similarity that weak evidence needs at least; 0.5 would be even odds"""
_MIN_WEIGHT = 0.05


class IdTimelineGenerator:
    """Turns the analysis of a video into its timeline.

    Args:
        identity: thresholds and the sizes of the active set.
        clip: shortest clip and longest gap.
    """

    def __init__(self, identity: IdentitySettings, clip: ClipSettings) -> None:
        self._identity = identity
        self._clip = clip

    def generate(self, analysis: FaceAnalysis) -> Timeline:
        """Who is to be shown when. People are numbered by first appearance; the same analysis gives the same timeline.

        Raises:
            ModelError: the analysis names an embedder without calibration.
        """
        tracklets = sorted(analysis.tracklets, key=lambda t: (t.start, t.id))
        seconds = _frame_times(analysis)
        case = _Case(tracklets, seconds, self._clip.merge_gap)
        statistics: dict[str, float | int] = {"tracklets": len(tracklets)}
        if len(case.known):
            similarity = Similarity.for_embedder(analysis.embedder)
            manager = SmartEmbeddingManager(
                similarity,
                active_limit=self._identity.active_people,
                ttl_s=self._identity.active_seconds,
                threshold=self._identity.same_person,
            )
            case.assign_online(manager)
            case.compare(similarity)
            statistics |= manager.statistics
            statistics["provisional_splits"] = case.split(self._identity.same_person)
            # Moving comes first: one tracklet on the wrong side would be a bridge between two people.
            moved = case.move(self._identity.merge)
            merged = case.merge(self._identity.merge)
            statistics["tracklets_moved"] = moved + case.move(self._identity.merge)
            statistics["provisional_merges"] = merged + case.merge(self._identity.merge)
            case.dissolve_weak()
        case.attach_faceless()
        people = self._people(case, analysis, seconds)
        unknown = tuple(tracklets[k].id for k in np.flatnonzero(case.labels < 0))
        statistics |= {"people": len(people), "unknown_tracklets": len(unknown)}
        logger.debug("%d people in %d tracklets, %d unknown", len(people), len(tracklets), len(unknown))
        return Timeline(tuple(people), unknown, statistics)

    def _people(self, case: _Case, analysis: FaceAnalysis, seconds: NDArray[np.float64]) -> list[Identity]:
        # Tracklets are in time order, so labels in order of occurrence are people by first appearance.
        labels = list(dict.fromkeys(int(label) for label in case.labels if label >= 0))
        people = []
        shown = _shown(analysis)
        for number, label in enumerate(labels, 1):
            name = f"person_{number:02d}"
            own = [case.tracklets[k] for k in np.flatnonzero(case.labels == label)]
            still = _never_moves(own, seconds)
            hidden = still and self._identity.skip_still
            segments = () if hidden else self._segments(name, own, shown)
            people.append(Identity(name, tuple(t.id for t in own), segments, still))
        return people

    def _segments(
        self, name: str, own: Sequence[Tracklet], shown: tuple[NDArray[np.float64], NDArray[np.float64]]
    ) -> tuple[Segment, ...]:
        segments = []
        starts, ends = shown
        for shot in sorted({t.shot for t in own}):
            here = [t for t in own if t.shot == shot]
            for start, end in _presence(np.concatenate([t.frames for t in here]), starts, ends, self._clip.merge_gap):
                if ends[end - 1] - starts[start] >= self._clip.min_clip - 1e-6:
                    ids = tuple(t.id for t in here if t.start < end and t.end > start)
                    segments.append(Segment(name, shot, start, end, ids))
        return tuple(segments)


class _Case:
    """The labels of one video's tracklets while they are being worked out.

    tracklets: in time order. labels: (N,) int64, person of each, -1 unknown.
    known: (K,) int64, positions of the tracklets whose faces count: embedded, and not a second track on a face.
    """

    def __init__(self, tracklets: list[Tracklet], seconds: NDArray[np.float64], merge_gap_s: float) -> None:
        self.tracklets = tracklets
        self.labels: IntArray = np.full(len(tracklets), -1, np.int64)
        self._seconds = seconds
        self._together = seen_together(tracklets)
        twice = duplicate_tracklets(tracklets)
        self.known: IntArray = np.array(
            [k for k, t in enumerate(tracklets) if len(t.embeddings) and not twice[k]], np.int64
        )
        self._links: list[Continuation] = continuations(tracklets, seconds, merge_gap_s)
        self._weights = np.array([max(float(t.sample_quality.sum()), _MIN_WEIGHT) for t in tracklets], np.float64)
        self._alike: FloatArray = np.zeros((0, 0), np.float32)

    def assign_online(self, manager: SmartEmbeddingManager) -> None:
        before = {link.later: link for link in self._links}
        for k in self.known:
            tracklet, link = self.tracklets[k], before.get(int(k))
            elsewhere = self.labels[self._together[k] & (self.labels >= 0)]
            favour = {}
            if link is not None and self.labels[link.earlier] >= 0:
                favour[int(self.labels[link.earlier])] = link.log_odds
            person = manager.assign(
                mean_embedding(tracklet),
                float(self._seconds[tracklet.start] - self._seconds[0]),
                forbidden=[int(p) for p in elsewhere],
                weight=float(self._weights[k]),
                log_odds=favour,
            )
            manager.mark_seen(person, float(self._seconds[tracklet.end] - self._seconds[0]))
            self.labels[k] = person

    def compare(self, similarity: Similarity) -> None:
        """Similarity of every two known tracklets, faces and places together."""
        position = {int(k): row for row, k in enumerate(self.known)}
        log_odds = np.zeros((len(self.known), len(self.known)), np.float32)
        for link in self._links:
            if link.earlier in position and link.later in position:
                a, b = position[link.earlier], position[link.later]
                log_odds[a, b] = log_odds[b, a] = link.log_odds
        self._alike = similarity.from_cosine(sample_cosines([self.tracklets[k] for k in self.known]), log_odds)

    def split(self, threshold: float) -> int:
        """Take provisional identities apart that hold faces of several people; returns how many parts were added."""
        labels = self.labels[self.known]
        apart = self._together[np.ix_(self.known, self.known)]
        parts = labels.copy()
        count = 0
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            square = np.ix_(rows, rows)
            inner = merge_clusters(
                self._alike[square],
                apart[square],
                threshold,
                self._weights[self.known][rows],
                closeness=_CLOSENESS,
            )
            parts[rows] = count + inner
            count += int(inner.max()) + 1
        added = count - len(np.unique(labels))
        self.labels[self.known] = parts
        return added

    def merge(self, threshold: float) -> int:
        """Make one of people that are alike; returns how many vanished."""
        names, groups = np.unique(self.labels[self.known], return_inverse=True)
        weights = self._weights[self.known]
        alike = group_similarity(self._alike, groups, weights, closeness=_CLOSENESS)
        member = (groups == np.arange(len(names))[:, None]).astype(np.float32)
        apart = (member @ self._together[np.ix_(self.known, self.known)] @ member.T) > 0
        group_weights = np.bincount(groups, weights, len(names)).astype(np.float64)
        merged = merge_clusters(alike, apart, threshold, group_weights, closeness=_CLOSENESS)
        self.labels[self.known] = merged[groups]
        return len(names) - len(np.unique(merged))

    def move(self, threshold: float) -> int:
        """Give single tracklets to the person that they fit clearly better; returns how many moved."""
        moved = 0
        for _ in range(_MOVE_SWEEPS):
            before = moved
            for row, k in enumerate(self.known):
                fit = self._fit(row)
                own = int(self.labels[k])
                # Alone with itself a tracklet is as good a person as the threshold makes it.
                at_home = fit[own] if np.isfinite(fit[own]) else threshold
                fit[own] = -np.inf
                best = int(fit.argmax())
                if fit[best] >= max(threshold, at_home + _MOVE_MARGIN):
                    self.labels[k] = best
                    moved += 1
            if moved == before:
                break
        return moved

    def _fit(self, row: int) -> NDArray[np.float64]:
        """(P,) how well the known tracklet `row` fits every person, itself not counted; -inf: cannot be."""
        k = int(self.known[row])
        labels = self.labels[self.known]
        counted = labels >= 0
        counted[row] = False
        groups, people = labels[counted], int(self.labels.max(initial=0)) + 1
        weights, values = self._weights[self.known][counted], self._alike[row, counted].astype(np.float64)
        mass = np.bincount(groups, weights, people)
        mean = np.bincount(groups, weights * values, people) / np.maximum(mass, 1e-12)
        best = np.zeros(people)
        np.maximum.at(best, groups, values)
        fit = mean + _CLOSENESS * (best - mean)
        fit[mass == 0] = -np.inf
        fit[self.labels[self._together[k] & (self.labels >= 0)]] = -np.inf
        return np.asarray(fit, np.float64)

    def dissolve_weak(self) -> None:
        """Take back people without enough evidence; their tracklets join somebody near in time, or nobody."""
        weak: list[int] = []
        for label in np.unique(self.labels[self.known]):
            members = self.known[self.labels[self.known] == label]
            life_s = sum(self._visible_s(self.tracklets[k]) for k in members)
            quality = max(float(self.tracklets[k].sample_quality.max()) for k in members)
            if life_s < _FOUNDING_S or quality < _FOUNDING_QUALITY:
                weak += members.tolist()
        self.labels[weak] = -1
        rows = {int(k): row for row, k in enumerate(self.known)}
        for k in sorted(weak):
            fit = self._fit(rows[k])
            fit[[not self._near(k, person) for person in range(len(fit))]] = -np.inf
            best = int(fit.argmax())
            if fit[best] >= _NEARBY_SIMILARITY:
                self.labels[k] = best

    def attach_faceless(self) -> None:
        """Tracklets without a usable face belong to the track that they continue or that continues them."""
        changed = True
        while changed:
            changed = False
            for link in self._links:
                for source, target in ((link.earlier, link.later), (link.later, link.earlier)):
                    person = self.labels[source]
                    free = self.labels[target] < 0 and len(self.tracklets[target].embeddings) == 0
                    if free and person >= 0 and not (self._together[target] & (self.labels == person)).any():
                        self.labels[target] = person
                        changed = True

    def _near(self, k: int, person: int) -> bool:
        start, end = self._seconds[self.tracklets[k].start], self._seconds[self.tracklets[k].end]
        return any(
            self._seconds[t.start] <= end + _NEARBY_S and self._seconds[t.end] >= start - _NEARBY_S
            for t in (self.tracklets[m] for m in np.flatnonzero(self.labels == person))
        )

    def _visible_s(self, tracklet: Tracklet) -> float:
        seen = tracklet.frames[tracklet.scores > 0]
        return float((self._seconds[seen + 1] - self._seconds[seen]).sum())


def _frame_times(analysis: FaceAnalysis) -> NDArray[np.float64]:
    """(F + 1,) float64 seconds: when each frame starts being shown, and when the last one ends."""
    if analysis.frame_count == 0:
        return np.zeros(1)
    pts = np.append(analysis.frame_pts, analysis.end_pts(analysis.frame_count))
    return pts.astype(np.float64) * float(analysis.video.time_base)


def _shown(analysis: FaceAnalysis) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(F,) float64 twice, seconds: from when to when each frame is shown. Holes in the recording lie between them."""
    time_base = float(analysis.video.time_base)
    return analysis.frame_pts.astype(np.float64) * time_base, analysis.frame_ends.astype(np.float64) * time_base


def _presence(
    frames: IntArray, starts: NDArray[np.float64], ends: NDArray[np.float64], merge_gap_s: float
) -> list[tuple[int, int]]:
    """Half-open frame ranges of presence, absences of up to `merge_gap_s` filled."""
    frames = np.unique(frames)
    absent_s = starts[frames[1:]] - ends[frames[:-1]]
    breaks = np.flatnonzero(absent_s > merge_gap_s + 1e-6)
    starts = frames[np.append(0, breaks + 1)]
    ends = frames[np.append(breaks, len(frames) - 1)] + 1
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def _never_moves(own: Sequence[Tracklet], seconds: NDArray[np.float64]) -> bool:
    lives = [(t, float(seconds[t.end] - seconds[t.start])) for t in own]
    long = [(t, life_s) for t, life_s in lives if life_s >= STILL_LIFE_S]
    return bool(long) and all(is_still(t.boxes, t.landmarks, life_s) for t, life_s in long)
