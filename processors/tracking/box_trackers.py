"""What follows faces from one picture to the next, between two detections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import cv2
import numpy as np

from core.models.face_detector import FaceDetector
from core.types import ByteArray, Detections, FloatArray

FollowerKind = Literal["cascade", "csrt", "kcf", "mosse"]


class BoxFollower(Protocol):
    """Keeps hold of faces that a detection has once found.

    stateless: pictures may be skipped or shown again, in any order.
    """

    stateless: bool

    def start(self, track: int, picture: ByteArray, box: FloatArray) -> None:
        """Track `track` is at `box` (4,) in `picture`, known from a detection."""
        ...

    def follow(self, picture: ByteArray, tracks: Sequence[int], boxes: FloatArray) -> Detections:
        """Where the tracks are in the next picture.

        boxes: (N, 4) float32, where each is expected. Returns N rows in the same order; a score near
        0 says that the face is not to be seen.
        """
        ...

    def stop(self, track: int) -> None:
        """Forget `track`."""
        ...


class CascadeFollower:
    """MTCNN's last network, run on the expected box: a tracker that also yields score and landmarks."""

    stateless = True

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector

    def start(self, track: int, picture: ByteArray, box: FloatArray) -> None:
        pass

    def follow(self, picture: ByteArray, tracks: Sequence[int], boxes: FloatArray) -> Detections:
        return self._detector.refine(picture, boxes)

    def stop(self, track: int) -> None:
        pass


class OpenCvFollower:
    """OpenCV's correlation trackers. Box from the tracker; score and landmarks from MTCNN's last network."""

    stateless = False

    def __init__(self, kind: Literal["csrt", "kcf", "mosse"], detector: FaceDetector) -> None:
        self._kind = kind
        self._detector = detector
        self._trackers: dict[int, Any] = {}

    def start(self, track: int, picture: ByteArray, box: FloatArray) -> None:
        height, width = picture.shape[:2]
        low = np.clip(np.round(box[:2]), 0, [width - 2, height - 2]).astype(int)
        high = np.clip(np.round(box[2:]), low + 2, [width, height]).astype(int)
        tracker = _new_tracker(self._kind)
        tracker.init(picture, (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])))
        self._trackers[track] = tracker

    def follow(self, picture: ByteArray, tracks: Sequence[int], boxes: FloatArray) -> Detections:
        moved = np.array(boxes, np.float32)
        held = np.zeros(len(tracks), bool)
        for row, track in enumerate(tracks):
            if track not in self._trackers:
                self.start(track, picture, boxes[row])
            held[row], found = self._trackers[track].update(picture)
            if held[row]:
                x, y, width, height = found
                moved[row] = (x, y, x + width, y + height)
        seen = self._detector.refine(picture, moved)
        return Detections(moved, np.where(held, seen.scores, 0).astype(np.float32), seen.landmarks)

    def stop(self, track: int) -> None:
        self._trackers.pop(track, None)


def make_follower(kind: FollowerKind, detector: FaceDetector) -> BoxFollower:
    """The follower that the setting `tracker` names."""
    if kind == "cascade":
        return CascadeFollower(detector)
    return OpenCvFollower(kind, detector)


def _new_tracker(kind: Literal["csrt", "kcf", "mosse"]) -> Any:
    if kind == "csrt":
        return cv2.TrackerCSRT.create()
    if kind == "kcf":
        return cv2.TrackerKCF.create()
    return cv2.legacy.TrackerMOSSE.create()
