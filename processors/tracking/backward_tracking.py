"""Follows a newly found face back through the frames of the last second, to the one in which it first appeared."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.models.face_detector import FaceRefiner
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.frame_history import FrameHistory
from processors.tracking.frame_pace import FramePace
from processors.tracking.track import MAX_STEP, Track
from utils.images.box_geometry import iou_matrix
from utils.images.face_roll import face_rolls

HISTORY_S = 1.0
"""seconds of frames kept at least"""

MAX_HISTORY_FRAMES = 64
"""frames kept at most, whatever the frame rate: 80 MB of images at the analysis size"""

MAX_GROWTH = 1.35
"""largest ratio of a face's sizes from one step to the next"""

SAME_FACE_OVERLAP = 0.55
"""IoU from which two tracks have run onto the same face"""

Occupied = Callable[[int, FloatArray], bool]
"""whether another track has a face at a box (1, 4) in that frame"""


class BackwardTracker:
    """Follows faces that were found late backwards, by refinement alone.

    Attributes:
        history: the latest frames; the tracker appends to it.
    """

    def __init__(self, refiner: FaceRefiner, seconds: float, pace: FramePace) -> None:
        count = round(max(HISTORY_S, seconds) * pace.rate)
        self.history = FrameHistory(min(max(2, count), MAX_HISTORY_FRAMES))
        self._refiner = refiner
        self._stride = pace.follow_stride

    def extend(self, track: Track, occupied: Occupied) -> None:
        """Follow a face from its last row backwards, to the row before or to where it first appeared."""
        limit = track.frames[-2] if len(track.frames) > 1 else -1
        earlier = [(frame, image) for frame, image in reversed(self.history) if frame > limit]
        position = len(track.frames) - 1
        box, roll = track.box, track.roll
        velocity: FloatArray = np.zeros(2, np.float32)
        stride, place = self._stride, -1
        while True:
            found = None
            if place + stride < len(earlier):
                frame, image = earlier[place + stride]
                found = self._refined(image(), box, roll, velocity, stride)
            if found is None or occupied(frame, found.boxes):
                if stride == 1:
                    break
                # The first frame with the face may be one that the last stride passed over.
                stride = 1
                continue
            place += stride
            moved = found.boxes[0, :2] + found.boxes[0, 2:] - box[:2] - box[2:]
            velocity = np.asarray(0.5 * velocity + 0.25 * moved / stride, np.float32)
            box = found.boxes[0]
            track.insert(position, frame, box, float(found.scores[0]), found.landmarks[0])
            if roll:
                roll = float(face_rolls(found.landmarks)[0])

    def _refined(
        self, image: ByteArray, box: FloatArray, roll: float, velocity: FloatArray, frames: int
    ) -> Detections | None:
        """The face in an image some frames before the one where it is at `box` (4,); None where it is not surely seen.

        roll: degrees, in that later frame. velocity: (2,) px per frame, backwards.
        """
        size = float((box[2:] - box[:2]).mean())
        reach = MAX_STEP / self._stride * size
        expected = box + frames * np.tile(np.clip(velocity, -reach, reach), 2)
        found = self._refiner.refine(image, expected[None].astype(np.float32), np.array([roll], np.float32))
        growth = float((found.boxes[0, 2:] - found.boxes[0, :2]).mean()) / size
        if found.scores[0] < self._refiner.score_scale.seen or not 1 / MAX_GROWTH < growth < MAX_GROWTH:
            return None
        return found

    def fill_gap(self, track: Track, occupied: Occupied) -> None:
        """Look for a face that came back along the straight line through the frames in which it was not seen."""
        after = next(
            (i for i in range(len(track.frames) - 1, 0, -1) if track.frames[i] > track.frames[i - 1] + self._stride), 0
        )
        if after == 0:
            return
        first, last = track.frames[after - 1], track.frames[after]
        start, end = track.boxes[after - 1], track.boxes[after]
        rolls = np.array([track.roll], np.float32)
        for frame, image in reversed(self.history):
            if not first < frame < last or (last - frame) % self._stride:
                continue
            share = (frame - first) / (last - first)
            expected = (start + share * (end - start)).astype(np.float32)[None]
            found = self._refiner.refine(image(), expected, rolls)
            near = float(iou_matrix(expected, found.boxes)[0, 0]) >= SAME_FACE_OVERLAP
            if found.scores[0] >= self._refiner.score_scale.possible and near and not occupied(frame, found.boxes):
                track.insert(after, frame, found.boxes[0], float(found.scores[0]), found.landmarks[0])
