"""Where the virtual camera looks: segments in, crop paths out. Pure: opens no file.

How tight the crop is decides `processors/camera/framing.py`, how it moves `processors/camera/camera_motion.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from config import ClipSettings
from core.types import CropPath, FaceAnalysis, IntArray, PixelBox, Segment, Tracklet
from processors.camera.camera_motion import plan_windows
from processors.camera.framing import FACE_WIDTH, FaceMotion
from processors.camera.panels import panel_around
from utils.images.box_geometry import clipped, visible_shares
from utils.numbers.path_smoothing import fill_gaps
from utils.numbers.signal_filters import Signal
from utils.timebase import frames_at_rate

_GUESSED_WEIGHT = 0.03
"""weight of a frame in which the face was hidden or absent, relative to one in which it was seen"""

_VISIBLE_SHARE = 0.5
"""share of a face's box that has to lie in the active picture; otherwise its centre is outside: nobody to look at"""


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
        settings = self._settings.sized_for(video.height)
        source_frames = segment.start + frames_at_rate(
            analysis.frame_pts[segment.start : segment.end],
            video.time_base,
            analysis.end_pts(segment.end),
            video.frame_rate,
        )
        tracklets = _tracklets(segment, analysis)
        left, top, right, bottom = visible = _visible_area(tracklets, segment, analysis)
        corner = np.array([left, top], np.float64)
        face = _face_motion(tracklets, source_frames, visible).seen_from(corner)
        windows = plan_windows(face, settings, right - left, bottom - top, float(video.frame_rate))
        return CropPath(
            segment,
            source_frames,
            windows + np.tile(corner, 2),
            *settings.frame_size,
            visible=None if visible == (0, 0, video.width, video.height) else visible,
        )


def _tracklets(segment: Segment, analysis: FaceAnalysis) -> list[Tracklet]:
    by_id = analysis.tracklets_by_id
    tracklets = [by_id[i] for i in segment.tracklets if i in by_id]
    if not tracklets or segment.end <= segment.start:
        raise ValueError(f"nothing to follow in {segment}")
    return tracklets


def _visible_area(tracklets: Sequence[Tracklet], segment: Segment, analysis: FaceAnalysis) -> PixelBox:
    """The active picture, or the panel of a split screen in which the tracklets are."""
    shot, active = analysis.shots[segment.shot], analysis.active_picture(segment.shot)
    if not shot.seams_x and not shot.seams_y:
        return active
    own = {tracklet.id for tracklet in tracklets}
    others = [_seen_boxes(t) for t in analysis.tracklets if t.shot == segment.shot and t.id not in own]
    seen = np.concatenate([_seen_boxes(tracklet) for tracklet in tracklets])
    return panel_around(seen, others, shot, active) if len(seen) else active


def _seen_boxes(tracklet: Tracklet) -> Signal:
    return tracklet.boxes[tracklet.scores > 0].astype(np.float64)


def _face_motion(tracklets: Sequence[Tracklet], source_frames: IntArray, visible: PixelBox) -> FaceMotion:
    """The person's face at `source_frames`, gaps interpolated; of a face that is partly outside, what can be seen."""
    frames: IntArray = np.concatenate([t.frames for t in tracklets])
    rows = np.concatenate([_measure(t, visible) for t in tracklets])
    # Where two tracklets of the person share a frame, the one with the higher score counts.
    scores = np.concatenate([t.scores for t in tracklets])
    order = np.lexsort((-scores, frames))
    frames, first = np.unique(frames[order], return_index=True)
    filled = fill_gaps(frames, rows[order][first], source_frames)
    shares = np.concatenate([visible_shares(t.boxes, visible) for t in tracklets])
    seen = frames[((scores > 0) & (shares >= _VISIBLE_SHARE))[order][first]]
    certainty = np.where(np.isin(source_frames, seen), 1.0, _GUESSED_WEIGHT)
    return FaceMotion(filled[:, :2], filled[:, 2], certainty)


def _measure(tracklet: Tracklet, area: PixelBox) -> Signal:
    """(T, 3) float64, px: x of the box centre, y of the eyes, height of the box; of the part in `area`."""
    boxes = tracklet.boxes.astype(np.float64)
    visible = clipped(boxes, area)
    heights = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
    center_x = (visible[:, 0] + visible[:, 2]) / 2
    eyes = tracklet.landmarks[:, :2, 1].astype(np.float64).mean(1)
    # Eyes lie at about 0.4 of the box; landmarks far from that are wrong.
    eyes = np.clip(eyes, boxes[:, 1] + 0.25 * heights, boxes[:, 1] + 0.6 * heights)
    eyes = np.clip(eyes, visible[:, 1], visible[:, 3])
    # The size of a face that is cut off below follows from its width, not from its visible height.
    widths = visible[:, 2] - visible[:, 0]
    sizes = np.clip(np.maximum(visible[:, 3] - visible[:, 1], widths / FACE_WIDTH), 1.0, heights)
    return np.stack([center_x, eyes, sizes], 1)
