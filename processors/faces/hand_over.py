"""Finds transitions that carry one image away over the next, by people who are seen in both images at once.

Where a page turns, a cube rotates, or an image flies into a corner, a person who is in both shots is seen twice for a
moment: one track ends shortly after another one of the same face has begun elsewhere. The images themselves may not
tell, because both shots are often from one camera in one room.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core.models.embedder_spec import link_curves_of
from core.models.link_curve import LinkCurve
from core.types import Shot, Tracklet
from processors.faces.track_parts import without
from processors.faces.tracklet_maker import MeasuredTrack, TrackCutting
from processors.shots.motion_burst import Burst
from processors.shots.shot_boundary import ShotBoundary, Span, with_boundaries
from utils.images.box_geometry import STAYS, are_two_faces, iou_matrix

MAX_COMMON_S = 1.5
"""longest time for which a transition shows both images, s"""

MIN_LOG_ODDS = 2.0
"""by the curve of links between videos. In the labelled clips nobody who comes while somebody else goes reaches 0 (126
pairs, highest -0.9); the same people in sixteen made transitions have 5.7 or more"""

NEAR_S = 0.75
"""a boundary found in the images that is no farther from the two faces is that of the same transition, s"""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Two tracklets of one person, seen at two places in the frames [first, end). earlier, later: their positions."""

    earlier: int
    later: int
    first: int
    end: int

    @property
    def middle(self) -> int:
        """The frame with which the later tracklet takes over."""
        return (self.first + self.end + 1) // 2


def cut_tracks(
    tracks: Sequence[MeasuredTrack],
    shots: Sequence[Shot],
    cutting: TrackCutting,
    *,
    may_add: bool,
    bursts: Sequence[Burst] = (),
) -> tuple[list[Tracklet], tuple[Shot, ...]]:
    """The tracklets of all tracks, none of which shows a person whom a later one has taken over; and the shots.

    A transition that lies near a boundary of `shots`, or past which somebody stays in place (in a panel beside it),
    begins no shot. The frames in which the image moves away or comes in are mixed ones of the shots on both sides.

    Args:
        tracks: of a video, in any order.
        shots: they cover the video without gaps.
        cutting: how tracks are cut.
        may_add: whether shots may be added.
        bursts: when the image changed far more than before and after.

    Raises:
        ModelError: no curve is known for the embedder.
    """
    cut = [(position, piece) for position, track in enumerate(tracks) for piece in cutting.cut(track, shots)]
    pieces = [piece for _, piece in cut]
    starts = [shot.start for shot in shots[1:]]
    found = hand_overs(pieces, starts, link_curves_of(cutting.embedder).same_kind, cutting.pace.rate)
    doubles: dict[int, list[Span]] = defaultdict(list)
    added = []
    for group in _at_one_time(found):
        first, end = seen_twice = _span(group)
        burst = _burst_at(seen_twice, bursts)
        mixed = seen_twice if burst is None else (min(first, burst.first), max(end, burst.end))
        boundary = _known_boundary(group, starts, NEAR_S * cutting.pace.rate)
        is_known = boundary is not None
        if boundary is None:
            boundary = round(sum(h.middle for h in group) / len(group))
        if burst is not None or not (is_known or _somebody_stays(pieces, group)):
            added.append(ShotBoundary(boundary, "wipe", mixed))
        for hand_over in group:
            at = min(max(boundary, hand_over.first), hand_over.end)
            doubles[cut[hand_over.earlier][0]].append((at, hand_over.end))
            doubles[cut[hand_over.later][0]].append((hand_over.first, at))
    if not found:
        return pieces, tuple(shots)
    if may_add:
        shots = with_boundaries(shots, added)
    parts = [part for position, track in enumerate(tracks) for part in without(track, doubles[position])]
    return [piece for part in parts for piece in cutting.cut(part, shots)], tuple(shots)


def hand_overs(tracklets: Sequence[Tracklet], starts: Sequence[int], curve: LinkCurve, rate: float) -> list[HandOver]:
    """All between `tracklets` of one video, in time order.

    starts: frames with which shots begin, but the first. curve: of the embedder. rate: frames per second.
    """
    having = (k for k, t in enumerate(tracklets) if len(t.embeddings))
    order = sorted(having, key=lambda k: (tracklets[k].start, tracklets[k].end, k))
    bounds = frozenset(starts)
    candidates = []
    live: list[int] = []
    for k in order:
        later = tracklets[k]
        live = [m for m in live if tracklets[m].end > later.start]
        for m in live:
            earlier = tracklets[m]
            if not _takes_over(earlier, later, bounds) or earlier.end - later.start > MAX_COMMON_S * rate:
                continue
            if not _are_apart(earlier, later):
                continue
            log_odds = _log_odds(earlier, later, curve)
            if log_odds >= MIN_LOG_ODDS:
                candidates.append((-log_odds, HandOver(m, k, later.start, earlier.end)))
        live.append(k)
    chosen: list[HandOver] = []
    for _, one in sorted(candidates, key=lambda c: (c[0], c[1].first, c[1].earlier, c[1].later)):
        if all(one.earlier != other.earlier and one.later != other.later for other in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda h: (h.first, h.end, h.earlier))


def _burst_at(span: Span, bursts: Sequence[Burst]) -> Burst | None:
    """The first one of nearly all of the image that has a frame in common with a span."""
    whole = (burst for burst in bursts if burst.is_of_whole_image)
    return next((burst for burst in whole if burst.first < span[1] and span[0] < burst.end), None)


def _takes_over(earlier: Tracklet, later: Tracklet, bounds: Collection[int]) -> bool:
    """Whether one of two tracklets that have frames in common begins and ends later; a shot may cut off both alike."""
    begins_later = earlier.start < later.start or (earlier.start == later.start and later.start in bounds)
    ends_later = earlier.end < later.end or (earlier.end == later.end and later.end in bounds)
    return begins_later and ends_later and (earlier.start, earlier.end) != (later.start, later.end)


def _are_apart(a: Tracklet, b: Tracklet) -> bool:
    """Whether the two are seen at different places in frames that they have in common."""
    seen_a, seen_b = np.flatnonzero(a.scores > 0), np.flatnonzero(b.scores > 0)
    _, of_a, of_b = np.intersect1d(a.frames[seen_a], b.frames[seen_b], assume_unique=True, return_indices=True)
    return are_two_faces(a.boxes[seen_a[of_a]], b.boxes[seen_b[of_b]])


def _log_odds(a: Tracklet, b: Tracklet, curve: LinkCurve) -> float:
    """That two tracks with embeddings are one person, by their faces."""
    assert a.embedding is not None and b.embedding is not None
    quality = float(a.sample_quality.max()), float(b.sample_quality.max())
    return float(curve.log_odds(float(a.embedding @ b.embedding), quality))


def _at_one_time(found: Sequence[HandOver]) -> list[list[HandOver]]:
    """Groups of those that have a frame in common with the one before. found: in time order."""
    groups: list[list[HandOver]] = []
    for one in found:
        if groups and one.first < _span(groups[-1])[1]:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _span(group: Sequence[HandOver]) -> tuple[int, int]:
    """The frames [first, end) from the beginning of the first to the end of the last."""
    return min(h.first for h in group), max(h.end for h in group)


def _known_boundary(group: Sequence[HandOver], starts: Sequence[int], near: float) -> int | None:
    """The one of `starts` that is nearest to the middle of a transition, at most `near` frames away from it."""
    first, end = _span(group)
    known = (start for start in starts if first - near <= start <= end + near)
    return min(known, key=lambda start: (abs(2 * start - first - end), start), default=None)


def _somebody_stays(tracks: Sequence[Tracklet], group: Sequence[HandOver]) -> bool:
    """Whether another face is seen in one place before and after a transition."""
    involved = {position for h in group for position in (h.earlier, h.later)}
    first, end = _span(group)
    for position, track in enumerate(tracks):
        if position in involved or track.start >= first or track.end <= end:
            continue
        before, after = np.searchsorted(track.frames, [first - 1, end])
        if float(iou_matrix(track.boxes[before][None], track.boxes[after][None])[0, 0]) >= STAYS:
            return True
    return False
