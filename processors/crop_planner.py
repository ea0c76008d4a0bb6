"""Where the virtual camera looks: segments in, crop paths out. Pure: no file is opened."""

from __future__ import annotations

import numpy as np

from config import ClipSettings
from core.types import CropPath, FaceAnalysis, IntArray, Segment, Tracklet
from processors.camera.camera_motion import plan_windows
from processors.camera.framing import FaceMotion
from utils.path_smoothing import fill_gaps
from utils.signal_filters import Signal
from utils.timebase import frames_at_rate

_GUESSED = 0.03
"""how much a frame counts in which the face was hidden or not there, beside one in which it was seen"""


class CropPlanner:
    """Plans the camera of one segment after the other; keeps nothing between them."""

    def __init__(self, settings: ClipSettings) -> None:
        self._settings = settings

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
        face = _face(segment, analysis, source_frames)
        windows = plan_windows(face, self._settings, video.width, video.height, float(video.frame_rate))
        return CropPath(segment, source_frames, windows, *self._settings.frame_size)


def _face(segment: Segment, analysis: FaceAnalysis, shown: IntArray) -> FaceMotion:
    """The person's face at the frames `shown`, gaps filled."""
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
    filled = fill_gaps(frames, rows[order][first], shown)
    seen = frames[scores[order][first] > 0]
    certainty = np.where(np.isin(shown, seen), 1.0, _GUESSED)
    return FaceMotion(filled[:, :2], filled[:, 2], certainty)


def _measure(tracklet: Tracklet) -> Signal:
    """(T, 3) float64: x of the face's middle, y of the eyes, height of the face."""
    boxes = tracklet.boxes.astype(np.float64)
    heights = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    eyes = tracklet.landmarks[:, :2, 1].astype(np.float64).mean(1)
    # Landmarks that lie outside their face are a guess gone wrong; the eyes of a box lie at about 0.4.
    eyes = np.clip(eyes, boxes[:, 1] + 0.25 * heights, boxes[:, 1] + 0.6 * heights)
    return np.stack([middle, eyes, heights], 1)
