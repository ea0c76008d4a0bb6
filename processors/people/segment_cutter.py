"""From segments as they were found to segments as they are wanted: some time around them, none too long. Pure."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from config import ClipSettings
from core.types import FaceAnalysis, IntArray, Segment, Tracklet
from utils.path_smoothing import fill_gaps
from utils.signal_filters import gaussian

_SHORTEST_PART = 0.5
"""of `max_clip`: with parts between this and 1, every longer stretch can be cut up"""
_ROUNDING_S = 1e-6
_QUIET_S = 0.3
"""standard deviation of the Gaussian over a face's motion: a quiet moment lasts a while"""
_OTHERS = 0.5
"""how much the motion of the other faces in the picture counts"""
_PER_CUT = 0.05
"""what a cut costs besides the motion at it, face heights per second: no more cuts than needed"""


def cut_segments(analysis: FaceAnalysis, segments: Sequence[Segment], settings: ClipSettings) -> list[Segment]:
    """`segments` with `settings.padding` around each, those above `settings.max_clip` cut at quiet moments.

    Padding ends at the cuts of the video and in the middle between two segments of the same person.
    The order is that of `segments`, parts of one in time order.
    """
    padded = _padded(analysis, segments, settings.padding) if settings.padding else list(segments)
    if not settings.max_clip:
        return padded
    parts = []
    for segment in padded:
        bounds = [segment.start, *_quiet_cuts(analysis, segment, settings.max_clip), segment.end]
        parts += [replace(segment, start=a, end=b) for a, b in itertools.pairwise(bounds)]
    return parts


def _padded(analysis: FaceAnalysis, segments: Sequence[Segment], padding_s: float) -> list[Segment]:
    pts = analysis.frame_pts
    padding = round(padding_s / analysis.video.time_base)
    shots = {shot.index: shot for shot in analysis.shots}
    result = []
    for segment in segments:
        shot = shots[segment.shot]
        neighbours = [s for s in segments if (s.person, s.shot) == (segment.person, segment.shot)]
        before = max((s.end for s in neighbours if s.end <= segment.start), default=None)
        after = min((s.start for s in neighbours if s.start >= segment.end), default=None)
        earliest = shot.start if before is None else (before + segment.start + 1) // 2
        latest = shot.end if after is None else (segment.end + after + 1) // 2
        start = int(np.searchsorted(pts, pts[segment.start] - padding))
        end = int(np.searchsorted(pts, analysis.end_pts(segment.end) + padding))
        result.append(replace(segment, start=max(start, earliest), end=max(min(end, latest), segment.end)))
    return result


def _quiet_cuts(analysis: FaceAnalysis, segment: Segment, max_s: float) -> list[int]:
    """Frames, rising, at which to cut so that no part is longer than `max_s`, with the least motion at them."""
    times = np.array([analysis.end_pts(f + 1) for f in range(segment.start, segment.end)], np.int64)
    begin = analysis.frame_pts[segment.start]
    # times[i] is when frame start + i ends, that is where a cut after it would lie.
    ends_s = (times - begin) * float(analysis.video.time_base)
    length = len(ends_s)
    least_s, most_s = _SHORTEST_PART * max_s - _ROUNDING_S, max_s + _ROUNDING_S
    if ends_s[-1] <= most_s:
        return []
    costs = _activity(analysis, segment) + _PER_CUT
    costs[-1] = 0.0  # the end is no cut
    total = np.full(length, np.inf)
    previous = np.full(length, -1)
    # Candidates for the cut before this one, from the cheapest on; those not yet far enough away wait.
    cheapest: deque[int] = deque()
    waiting = 0
    for i, end_s in enumerate(ends_s):
        while ends_s[waiting] <= end_s - least_s:
            while cheapest and total[cheapest[-1]] >= total[waiting]:
                cheapest.pop()
            cheapest.append(waiting)
            waiting += 1
        while cheapest and ends_s[cheapest[0]] < end_s - most_s:
            cheapest.popleft()
        if least_s <= end_s <= most_s:
            total[i] = costs[i]
        elif cheapest and np.isfinite(total[cheapest[0]]):
            total[i], previous[i] = costs[i] + total[cheapest[0]], cheapest[0]
    cuts = []
    at = int(previous[-1])
    while at >= 0:
        cuts.append(segment.start + at + 1)
        at = int(previous[at])
    return cuts[::-1]


def _activity(analysis: FaceAnalysis, segment: Segment) -> NDArray[np.float64]:
    """(T,) float64: how much the faces move in each frame of the segment, face heights per second."""
    frames = np.arange(segment.start, segment.end)
    rate_hz = float(analysis.video.frame_rate)
    own = [t for t in analysis.tracklets if t.id in segment.tracklets]
    others = [
        t
        for t in analysis.tracklets
        if t.shot == segment.shot and t.id not in segment.tracklets and t.start < segment.end and t.end > segment.start
    ]
    motion = np.sum([_motion(t, frames) for t in own], axis=0)
    if others:
        motion = motion + _OTHERS * np.mean([_motion(t, frames) for t in others], axis=0)
    return gaussian(motion * rate_hz, _QUIET_S * rate_hz)


def _motion(tracklet: Tracklet, frames: IntArray) -> NDArray[np.float64]:
    """(T,) float64: from each of `frames` to the next, face heights; 0 where the face is not there.

    The nose turns with the head, the middle of the box moves with it, its height grows as it comes closer.
    """
    boxes = tracklet.boxes.astype(np.float64)
    heights = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    nose = tracklet.landmarks[:, 2].astype(np.float64)
    scale = float(np.median(heights))
    columns = np.column_stack([middle / scale, nose / scale, np.log(heights)])
    # Boxes tremble; their noise must not look like motion.
    calm = gaussian(columns, 2.0)
    placed = fill_gaps(tracklet.frames, calm, frames)
    steps = np.linalg.norm(np.diff(placed, axis=0, append=placed[-1:]), axis=1)
    return np.asarray(steps, np.float64)
