"""Where the virtual camera looks: segments in, crop paths out. Pure: opens no file.

How tight the crop is decides `processors/camera/framing.py`, how it moves `processors/camera/camera_motion.py`.
"""

from __future__ import annotations

import numpy as np

from config import ClipSettings
from core.types import CropPath, FaceAnalysis, IntArray, Segment, Tracklet
from processors.camera.camera_motion import plan_windows
from processors.camera.framing import FaceMotion
from utils.path_smoothing import fill_gaps
from utils.signal_filters import Signal
from utils.timebase import frames_at_rate

_GUESSED_WEIGHT = 0.03
"""weight of a frame in which the face was hidden or absent, relative to one in which it was seen"""


class CropPlanner:
    """Plans the camera of one segment after the other; keeps no state between them."""

    def __init__(self, settings: ClipSettings) -> None:
        self._settings = settings

    def plan(self, segment: Segment, analysis: FaceAnalysis) -> CropPath:
        """The crop window of every frame of the segment's clip.

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
        left, top, right, bottom = analysis.active_picture(segment.shot)
        corner = np.array([left, top], np.float64)
        face = _face_motion(segment, analysis, source_frames).seen_from(corner)
        windows = plan_windows(face, self._settings, right - left, bottom - top, float(video.frame_rate))
        return CropPath(
            segment,
            source_frames,
            windows + np.tile(corner, 2),
            *self._settings.frame_size,
            active=analysis.shots[segment.shot].active,
        )


def _face_motion(segment: Segment, analysis: FaceAnalysis, source_frames: IntArray) -> FaceMotion:
    """The person's face at `source_frames`, gaps interpolated."""
    by_id = {tracklet.id: tracklet for tracklet in analysis.tracklets}
    tracklets = [by_id[i] for i in segment.tracklets if i in by_id]
    if not tracklets or segment.end <= segment.start:
        raise ValueError(f"nothing to follow in {segment}")
    frames: IntArray = np.concatenate([t.frames for t in tracklets])
    rows = np.concatenate([_measure(t) for t in tracklets])
    # Where two tracklets of the person share a frame, the one with the higher score counts.
    scores = np.concatenate([t.scores for t in tracklets])
    order = np.lexsort((-scores, frames))
    frames, first = np.unique(frames[order], return_index=True)
    filled = fill_gaps(frames, rows[order][first], source_frames)
    seen = frames[scores[order][first] > 0]
    certainty = np.where(np.isin(source_frames, seen), 1.0, _GUESSED_WEIGHT)
    return FaceMotion(filled[:, :2], filled[:, 2], certainty)


def _measure(tracklet: Tracklet) -> Signal:
    """(T, 3) float64, px: x of the box centre, y of the eyes, height of the box."""
    boxes = tracklet.boxes.astype(np.float64)
    heights = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
    center_x = (boxes[:, 0] + boxes[:, 2]) / 2
    eyes = tracklet.landmarks[:, :2, 1].astype(np.float64).mean(1)
    # Eyes lie at about 0.4 of the box; landmarks far from that are wrong.
    eyes = np.clip(eyes, boxes[:, 1] + 0.25 * heights, boxes[:, 1] + 0.6 * heights)
    return np.stack([center_x, eyes, heights], 1)
