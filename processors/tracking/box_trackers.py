"""Followers: they find known faces again in the next frame, without a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import cv2
import numpy as np

from core.models.face_detector import FaceRefiner
from core.types import ByteArray, Detections, FloatArray

FollowerKind = Literal["cascade", "csrt", "kcf", "mosse"]


class BoxFollower(Protocol):
    """Follows faces that a detection has found.

    stateless: frames may be skipped or given again, in any order.
    """

    stateless: bool

    def start(self, track: int, image: ByteArray, box: FloatArray) -> None:
        """(Re)start `track` at `box` (4,), known from a detection in `image`."""
        ...

    def follow(self, image: ByteArray, tracks: Sequence[int], boxes: FloatArray, rolls: FloatArray) -> Detections:
        """Where the tracks are in the next frame.

        boxes: (N, 4) float32, where each is expected. rolls: (N,) degrees, as of `FaceRefiner.refine`. Returns N rows
        in the same order; a score near 0 says that the face is not visible.
        """
        ...

    def stop(self, track: int) -> None:
        """Forget `track`."""
        ...


class CascadeFollower:
    """MTCNN's last network run on the expected box: it also gives score and landmarks."""

    stateless = True

    def __init__(self, refiner: FaceRefiner) -> None:
        self._refiner = refiner

    def start(self, track: int, image: ByteArray, box: FloatArray) -> None:
        pass

    def follow(self, image: ByteArray, tracks: Sequence[int], boxes: FloatArray, rolls: FloatArray) -> Detections:
        return self._refiner.refine(image, boxes, rolls)

    def stop(self, track: int) -> None:
        pass


class OpenCvFollower:
    """OpenCV's correlation trackers: the box is theirs, score and landmarks are the refiner's."""

    stateless = False

    def __init__(self, kind: Literal["csrt", "kcf", "mosse"], refiner: FaceRefiner) -> None:
        self._kind = kind
        self._refiner = refiner
        self._trackers: dict[int, Any] = {}

    def start(self, track: int, image: ByteArray, box: FloatArray) -> None:
        height, width = image.shape[:2]
        low = np.clip(np.round(box[:2]), 0, [width - 2, height - 2]).astype(int)
        high = np.clip(np.round(box[2:]), low + 2, [width, height]).astype(int)
        tracker = _new_tracker(self._kind)
        tracker.init(image, (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])))
        self._trackers[track] = tracker

    def follow(self, image: ByteArray, tracks: Sequence[int], boxes: FloatArray, rolls: FloatArray) -> Detections:
        moved = np.array(boxes, np.float32)
        held = np.zeros(len(tracks), bool)
        for row, track in enumerate(tracks):
            if track not in self._trackers:
                self.start(track, image, boxes[row])
            held[row], found = self._trackers[track].update(image)
            if held[row]:
                x, y, width, height = found
                moved[row] = (x, y, x + width, y + height)
        refined = self._refiner.refine(image, moved, rolls)
        return Detections(moved, np.where(held, refined.scores, 0).astype(np.float32), refined.landmarks)

    def stop(self, track: int) -> None:
        self._trackers.pop(track, None)


def make_follower(kind: FollowerKind, refiner: FaceRefiner) -> BoxFollower:
    """The follower that the setting `tracker` names."""
    if kind == "cascade":
        return CascadeFollower(refiner)
    return OpenCvFollower(kind, refiner)


def _new_tracker(kind: Literal["csrt", "kcf", "mosse"]) -> Any:
    if kind == "csrt":
        return cv2.TrackerCSRT.create()
    if kind == "kcf":
        return cv2.TrackerKCF.create()
    return cv2.legacy.TrackerMOSSE.create()
