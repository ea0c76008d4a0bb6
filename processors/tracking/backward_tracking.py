"""The pictures of the last second, and the way back through them to where a face first appeared."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from core.models.face_detector import FaceDetector
from core.types import ByteArray, FloatArray
from processors.tracking.track import MAX_STEP, Track
from utils.box_geometry import iou_matrix

LOOK_BACK_S = 1.0
"""seconds of pictures kept at least"""

MAX_PICTURES = 64
"""pictures kept at most, whatever the frame rate: 80 MB"""

KEEP_SCORE, DOUBT_SCORE = 0.5, 0.15
"""score below which a face that was followed counts as not seen, and down to which it may have been seen"""

MAX_GROWTH = 1.35
"""largest change of a face's size from one picture to the next"""

SAME_FACE_OVERLAP = 0.55
"""IoU from which two tracks have run onto the same face"""

Pixels = Callable[[], ByteArray]
"""gives a picture, (h, w, 3) uint8 RGB: the pixels of a picture that nobody looks at need not be made"""

Occupied = Callable[[int, FloatArray], bool]
"""whether another track has a face in that frame at a box (1, 4)"""


class LookBack:
    """A face that is found late is followed backwards, by refinement alone."""

    def __init__(self, detector: FaceDetector, seconds: float, frame_rate: float) -> None:
        pictures = round(max(LOOK_BACK_S, seconds) * frame_rate)
        self.pictures: deque[tuple[int, Pixels]] = deque(maxlen=min(max(2, pictures), MAX_PICTURES))
        self._detector = detector

    def extend(self, track: Track, occupied: Occupied) -> None:
        """Follow a face from its last row backwards, to the row before or to where it first appeared."""
        limit = track.frames[-2] if len(track.frames) > 1 else -1
        position = len(track.frames) - 1
        box, velocity = track.box, np.zeros(2, np.float32)
        for frame, picture in reversed(self.pictures):
            if frame <= limit:
                break
            size = float((box[2:] - box[:2]).mean())
            expected = box + np.tile(np.clip(velocity, -MAX_STEP * size, MAX_STEP * size), 2)
            found = self._detector.refine(picture(), expected[None].astype(np.float32))
            growth = float((found.boxes[0, 2:] - found.boxes[0, :2]).mean()) / size
            if found.scores[0] < KEEP_SCORE or not 1 / MAX_GROWTH < growth < MAX_GROWTH:
                break
            if occupied(frame, found.boxes):
                break
            velocity = 0.5 * velocity + 0.25 * (found.boxes[0, :2] + found.boxes[0, 2:] - box[:2] - box[2:])
            box = found.boxes[0]
            track.insert(position, frame, box, float(found.scores[0]), found.landmarks[0])

    def bridge(self, track: Track, occupied: Occupied) -> None:
        """Look for a face that came back along the straight way through the pictures in which it was not seen."""
        after = next((i for i in range(len(track.frames) - 1, 0, -1) if track.frames[i] > track.frames[i - 1] + 1), 0)
        if after == 0:
            return
        first, last = track.frames[after - 1], track.frames[after]
        start, end = track.boxes[after - 1], track.boxes[after]
        for frame, picture in reversed(self.pictures):
            if not first < frame < last:
                continue
            share = (frame - first) / (last - first)
            expected = (start + share * (end - start)).astype(np.float32)[None]
            found = self._detector.refine(picture(), expected)
            near = float(iou_matrix(expected, found.boxes)[0, 0]) >= SAME_FACE_OVERLAP
            if found.scores[0] >= DOUBT_SCORE and near and not occupied(frame, found.boxes):
                track.insert(after, frame, found.boxes[0], float(found.scores[0]), found.landmarks[0])
