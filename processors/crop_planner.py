"""Where the virtual camera looks: segments in, smooth crop paths out. Pure: no file is opened.

The whole segment is known, so the camera neither lags nor overshoots: it rests, and eases to a new rest when
the face is about to leave its safe zone or has settled elsewhere. Everything is measured in heights of the
window, so that a small face and a large one are filmed alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from config import ClipSettings
from core.types import CropPath, FaceAnalysis, IntArray, Segment, Tracklet
from utils.geometry import centered_windows, largest_height
from utils.smoothing import PathStyle, Signal, denoise, fill_gaps, l1_path
from utils.timebase import frames_at_rate

EYE_LINE = 0.4
"""height of the eyes in the window, from its top: head-room as portrait painters and operators leave it"""

_MAX_SLACK = 0.1
"""how far the face may be off its place while the camera rests, window heights"""
_MAX_SIZE_SLACK = 0.15
"""how much larger or smaller than wanted the face may be while the zoom rests (natural logarithm)"""
_EDGE_SHIFT = 0.2
"""near an edge the window shifts; a face that would be further than this from its place tightens it"""
_TIGHTEST = 0.8
"""... but to no less than this of its size"""
_MIN_WINDOW_PX = 16.0

_MEDIAN_S, _GAUSSIAN_S = 0.25, 0.1
_SIZE_MEDIAN_S, _SIZE_GAUSSIAN_S = 0.6, 0.4

STEADY_PAN = PathStyle()
STEADY_ZOOM = PathStyle(knot_hz=2.0, rest_s=6.0, block_s=60.0, look_ahead_s=20.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """What the camera follows, one row per source frame of the segment, display px.

    centers: (T, 2) float64, x of the box's middle and y of the eyes. heights: (T,) float64.
    """

    centers: Signal
    heights: Signal


class CropPlanner:
    """Plans the camera of one segment after the other; keeps nothing between them."""

    def __init__(self, settings: ClipSettings, *, aspect: Fraction = Fraction(1)) -> None:
        """aspect: width of the clip divided by its height."""
        self._share = settings.face_share
        self._height = settings.size
        self._width = max(2 * round(settings.size * aspect / 2), 2)

    def plan(self, segment: Segment, analysis: FaceAnalysis) -> CropPath:
        """The window of every picture of the segment's clip.

        Raises:
            ValueError: the segment is empty or none of its tracklets is in the analysis.
        """
        video = analysis.video
        source_frames = segment.start + frames_at_rate(
            analysis.frame_pts[segment.start : segment.end],
            video.time_base,
            analysis.end_pts(segment.end),
            video.frame_rate,
        )
        face = _follow(segment, analysis)
        rows = source_frames - segment.start
        shown = _Face(face.centers[rows], face.heights[rows])
        windows = self._windows(shown, video.width, video.height, float(video.frame_rate))
        return CropPath(segment, source_frames, windows, self._width, self._height)

    def _windows(self, face: _Face, width: int, height: int, rate_hz: float) -> NDArray[np.float64]:
        aspect = self._width / self._height
        largest = largest_height(aspect, width, height)
        smallest = min(_MIN_WINDOW_PX, largest)
        # The larger the face in the window, the less it may wander before it would be cut.
        slack = min(_MAX_SLACK, 0.18 * (1 - self._share))
        size_slack = min(_MAX_SIZE_SLACK, 0.5 * np.log(1 / self._share))

        sizes = denoise(face.heights[:, None], rate_hz, median_s=_SIZE_MEDIAN_S, gaussian_s=_SIZE_GAUSSIAN_S)[:, 0]
        centers = denoise(face.centers, rate_hz, median_s=_MEDIAN_S, gaussian_s=_GAUSSIAN_S)
        wanted = np.clip(_tightened(sizes / self._share, centers, aspect, width, height), smallest, largest)
        log_size = np.log(wanted)
        log_size = l1_path(log_size, log_size - size_slack, log_size + size_slack, rate_hz, STEADY_ZOOM)
        window_heights = np.clip(np.exp(log_size), smallest, largest)

        unit = float(np.median(window_heights))
        eyes_to_middle = (0.5 - EYE_LINE) * window_heights
        targets = centers + np.stack([np.zeros_like(eyes_to_middle), eyes_to_middle], 1)
        half = np.stack([window_heights * aspect, window_heights], 1) / 2
        limits = np.array([width, height], np.float64)
        room = slack * window_heights
        path = np.empty_like(targets)
        for axis in (0, 1):
            low, high = half[:, axis], np.maximum(limits[axis] - half[:, axis], half[:, axis])
            target, lower, upper = (np.clip(targets[:, axis] + o, low, high) / unit for o in (0.0, -room, room))
            path[:, axis] = l1_path(target, lower, upper, rate_hz, STEADY_PAN) * unit
        return centered_windows(path, window_heights, aspect, width, height)


def _follow(segment: Segment, analysis: FaceAnalysis) -> _Face:
    """The person's face over all frames of the segment, gaps filled."""
    by_id = {tracklet.id: tracklet for tracklet in analysis.tracklets}
    tracklets = [by_id[i] for i in segment.tracklets if i in by_id]
    if not tracklets or segment.end <= segment.start:
        raise ValueError(f"nothing to follow in {segment}")
    frames: IntArray = np.concatenate([t.frames for t in tracklets])
    rows = np.concatenate([_measure(t) for t in tracklets])
    # Where two tracklets of the person share a frame, the surer one counts.
    scores = np.concatenate([t.scores for t in tracklets])
    order = np.lexsort((-scores, frames))
    frames, first = np.unique(frames[order], return_index=True)
    filled = fill_gaps(frames, rows[order][first], np.arange(segment.start, segment.end))
    return _Face(filled[:, :2], filled[:, 2])


def _measure(tracklet: Tracklet) -> Signal:
    """(T, 3) float64: x of the face's middle, y of the eyes, height of the face."""
    boxes = tracklet.boxes.astype(np.float64)
    heights = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    eyes = tracklet.landmarks[:, :2, 1].astype(np.float64).mean(1)
    # Landmarks that lie outside their face are a guess gone wrong; the eyes of a box lie at about 0.4.
    eyes = np.clip(eyes, boxes[:, 1] + 0.25 * heights, boxes[:, 1] + 0.6 * heights)
    return np.stack([middle, eyes, heights], 1)


def _tightened(heights: Signal, centers: Signal, aspect: float, width: int, height: int) -> Signal:
    """Window heights (T,), made smaller where the window would have to shift too far from the face.

    centers: (T, 2) float64, x of the face and y of the eyes.
    """
    x, y = centers.T
    across = np.minimum(x, width - x) / ((0.5 - _EDGE_SHIFT) * aspect)
    above = y / (EYE_LINE - _EDGE_SHIFT)
    below = (height - y) / (1 - EYE_LINE - _EDGE_SHIFT)
    fitting = np.minimum(np.minimum(across, above), below)
    return np.asarray(np.clip(fitting, _TIGHTEST * heights, heights))
