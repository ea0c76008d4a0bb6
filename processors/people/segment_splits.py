"""Where to split a long segment into several clips: at the frames in which the faces move least. Pure."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from core.types import FaceAnalysis, IntArray, Segment, Tracklet
from utils.numbers.path_smoothing import fill_gaps
from utils.numbers.signal_filters import gaussian

_SHORTEST_PART = 0.5
"""shortest part, as a share of the longest one: with parts from 0.5 to 1, any longer segment can be divided"""
_ROUNDING_S = 1e-6
_MOTION_WINDOW_S = 0.3
"""standard deviation of the Gaussian over face motion, seconds, so that a single still frame does not count as rest"""
_OTHER_FACES_WEIGHT = 0.5
"""weight of the mean motion of the other faces in the frame"""
_COST_PER_SPLIT = 0.05
"""cost of a split on top of the motion there, face heights per second: avoids needless splits"""


def least_motion_splits(analysis: FaceAnalysis, segment: Segment, max_s: float) -> list[int]:
    """The first frames, increasing, of the second and later parts of `segment`; no part is longer than `max_s` seconds.

    Of all ways to split it into parts of half of `max_s` to `max_s`, the one with the least motion at the splits, by
    dynamic programming in O(T) for T frames. Empty where the segment is short enough.
    """
    # ends_s[i] is when frame start + i ends, which is where a split after it would lie.
    ends_s = analysis.ends_s[segment.start : segment.end] - analysis.seconds_at(segment.start)
    length = len(ends_s)
    shortest_s, longest_s = _SHORTEST_PART * max_s - _ROUNDING_S, max_s + _ROUNDING_S
    if ends_s[-1] <= longest_s:
        return []
    costs = _activity(analysis, segment) + _COST_PER_SPLIT
    costs[-1] = 0.0  # the end is not a split
    total = np.full(length, np.inf)
    previous = np.full(length, -1)
    # Sliding-window minimum: candidates for the previous split, cheapest first. Those that are still too close wait.
    cheapest: deque[int] = deque()
    waiting = 0
    for i, end_s in enumerate(ends_s):
        while ends_s[waiting] <= end_s - shortest_s:
            while cheapest and total[cheapest[-1]] >= total[waiting]:
                cheapest.pop()
            cheapest.append(waiting)
            waiting += 1
        while cheapest and ends_s[cheapest[0]] < end_s - longest_s:
            cheapest.popleft()
        if shortest_s <= end_s <= longest_s:
            total[i] = costs[i]
        elif cheapest and np.isfinite(total[cheapest[0]]):
            total[i], previous[i] = costs[i] + total[cheapest[0]], cheapest[0]
    splits = []
    at = int(previous[-1])
    while at >= 0:
        splits.append(segment.start + at + 1)
        at = int(previous[at])
    return splits[::-1]


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
        motion = motion + _OTHER_FACES_WEIGHT * np.mean([_motion(t, frames) for t in others], axis=0)
    return gaussian(motion * rate_hz, _MOTION_WINDOW_S * rate_hz)


def _motion(tracklet: Tracklet, frames: IntArray) -> NDArray[np.float64]:
    """(T,) float64: motion from each of `frames` to the next, face heights; 0 outside the tracklet.

    The nose shows turns of the head, the box centre its translation, the box height motion towards the camera.
    """
    boxes = tracklet.boxes.astype(np.float64)
    heights = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    nose = tracklet.landmarks[:, 2].astype(np.float64)
    scale = float(np.median(heights))
    columns = np.column_stack([centers / scale, nose / scale, np.log(heights)])
    # Detector jitter would otherwise count as motion.
    smooth = gaussian(columns, 2.0)
    at_frames = fill_gaps(tracklet.frames, smooth, frames)
    steps = np.linalg.norm(np.diff(at_frames, axis=0, append=at_frames[-1:]), axis=1)
    return np.asarray(steps, np.float64)
