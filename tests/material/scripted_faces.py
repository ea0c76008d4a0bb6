"""A detector that knows the answers: films of named boxes instead of images and networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from config import AnalysisSettings
from core.models.face_detector import FaceDetector
from core.models.networks.model_spec import score_scale_of
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.box_trackers import BoxFollower, CascadeFollower
from processors.tracking.detection_schedule import CandidateSource, DetectionSchedule, SearchDetectors
from processors.tracking.face_tracker import FaceTracker, FrameAction
from processors.tracking.frame_pace import FramePace
from processors.tracking.second_opinion import Confirmation
from processors.tracking.track import Track
from utils.images.box_geometry import iou_matrix

RATE = 25.0
PACE = FramePace(RATE)
WIDTH_PX, HEIGHT_PX = 480, 270
SIDE_PX = 40.0
MIN_FACE_PX = 20.0
SURE, NOTHING = 0.99, 0.01
REFINE_OVERLAP = 0.3
"""how well a box has to fit for the last network to recognise the face in it"""


@dataclass(frozen=True)
class Face:
    """One face of a film.

    path: its centre at a frame. visible: frames in which it is to be seen. found: frames in which the search
    for faces reports it, where that is not all of the visible ones; following works in every visible frame.
    A face is drawn as a square wherever it is visible.
    """

    path: Callable[[int], tuple[float, float]]
    visible: Callable[[int], bool] = lambda frame: True
    found: Callable[[int], bool] = lambda frame: True
    side: float = SIDE_PX

    def box(self, frame: int) -> FloatArray:
        centre = np.array(self.path(frame) * 2)
        return np.asarray(centre + np.array([-1, -1, 1, 1]) * self.side / 2, np.float32)


def still(x: float, y: float) -> Callable[[int], tuple[float, float]]:
    return lambda frame: (x, y)


def moving(x: float, y: float, speed: float) -> Callable[[int], tuple[float, float]]:
    """To the right by `speed` px a frame."""
    return lambda frame: (x + speed * frame, y)


def during(start: int, end: int) -> Callable[[int], bool]:
    return lambda frame: start <= frame < end


def outside(start: int, end: int) -> Callable[[int], bool]:
    return lambda frame: not start <= frame < end


def spans(frames: Sequence[int], pace: FramePace = PACE) -> list[tuple[int, int]]:
    """The stretches [start, end) of rising `frames`; images that following leaves out do not end one."""
    breaks = [i for i in range(1, len(frames)) if frames[i] - frames[i - 1] > pace.calm_stride]
    return [(part[0], part[-1] + 1) for part in np.split(np.array(frames), breaks)]


class KnownImage:
    """A `LazyImage` of pixels that are there already, (h, w, 3) uint8 RGB."""

    waiting_bytes = 0

    def __init__(self, pixels: ByteArray) -> None:
        self._pixels = pixels
        self.height, self.width = pixels.shape[:2]

    @property
    def luma(self) -> ByteArray:
        return np.asarray(cv2.cvtColor(self._pixels, cv2.COLOR_RGB2GRAY), np.uint8)

    def __call__(self) -> ByteArray:
        return self._pixels


class ScriptedDetector:
    """Stands in for `FaceDetector`; knows which frame an image is, and notes when it was asked.

    searches: (frame, whether everywhere) of every `detect`. explained: what each was told.
    """

    score_scale = score_scale_of("onet")

    def __init__(self, *faces: Face) -> None:
        self._faces = faces
        self._images: list[ByteArray] = []
        self.searches: list[tuple[int, bool]] = []
        self.explained: list[FloatArray] = []

    def image(self, frame: int, lamp: int) -> ByteArray:
        """(H, W, 3) uint8: the faces as squares, and a lamp of some brightness in the corner."""
        image = np.full((HEIGHT_PX, WIDTH_PX, 3), 90, np.uint8)
        for face in self._faces:
            if face.visible(frame):
                x1, y1, x2, y2 = np.clip(np.round(face.box(frame)), 0, None).astype(int)
                image[y1:y2, x1:x2] = 190
        image[-20:, -20:] = lamp
        assert frame == len(self._images)
        self._images.append(image)
        return image

    def share(self, image: ByteArray) -> None:
        """Take the next image from another detector's film."""
        self._images.append(image)

    def number_of(self, image: ByteArray) -> int:
        return next(i for i, known in enumerate(self._images) if known is image)

    def detect(
        self,
        images: Sequence[ByteArray],
        min_face_px: float,
        *,
        explained: Sequence[FloatArray] | None = None,
        ignore: Callable[[FloatArray], NDArray[np.bool_]] | None = None,
        candidates: None = None,
    ) -> list[Detections]:
        answers = []
        for row, image in enumerate(images):
            frame = self.number_of(image)
            self.searches.append((frame, explained is None))
            faces = [f for f in self._faces if f.visible(frame) and f.found(frame) and f.side >= min_face_px]
            boxes = [f.box(frame) for f in faces]
            if explained is not None:
                self.explained.append(explained[row])
                boxes = [b for b in boxes if not (iou_matrix(b[None], explained[row]) > 0.5).any()]
            if ignore is not None and boxes:
                boxes = [b for b, ignored in zip(boxes, ignore(np.stack(boxes)), strict=True) if not ignored]
            answers.append(detections(boxes, SURE))
        return answers

    def refine(self, image: ByteArray, boxes: FloatArray, rolls: FloatArray | None = None) -> Detections:
        frame = self.number_of(image)
        there = [f.box(frame) for f in self._faces if f.visible(frame)]
        rows = []
        for box in boxes:
            overlap = iou_matrix(box[None], np.stack(there))[0] if there else np.zeros(1)
            hit = overlap.max() >= REFINE_OVERLAP
            rows.append(detections([there[int(overlap.argmax())] if hit else box], SURE if hit else NOTHING))
        return Detections(*(np.concatenate([getattr(r, k) for r in rows]) for k in ("boxes", "scores", "landmarks")))


def detections(boxes: Sequence[FloatArray], score: float) -> Detections:
    """Faces at `boxes` with landmarks where a frontal face has them."""
    if not boxes:
        return Detections.empty()
    stacked = np.stack(boxes).astype(np.float32)
    return Detections(stacked, np.full(len(boxes), score, np.float32), landmarks_in(stacked))


FRONTAL = np.array([[0.31, 0.38], [0.69, 0.38], [0.5, 0.58], [0.34, 0.77], [0.66, 0.77]], np.float32)
"""landmarks of a frontal face in its box of side 1"""


def landmarks_in(boxes: NDArray[np.float32]) -> FloatArray:
    """(N, 5, 2) for boxes (N, 4)."""
    size = boxes[:, None, 2:] - boxes[:, None, :2]
    return np.asarray(boxes[:, None, :2] + FRONTAL * size, np.float32)


def both_searches(detector: object) -> SearchDetectors:
    """One detector for every kind of search."""
    return SearchDetectors(*(cast(FaceDetector, detector),) * 2)


class Film:
    """Runs the tracker over a scripted film and keeps what it hands out.

    flickers: up to this frame something else than the faces changes in every image.
    """

    def __init__(
        self,
        *faces: Face,
        settings: AnalysisSettings | None = None,
        detector: ScriptedDetector | None = None,
        follower: Callable[[Any], BoxFollower] = CascadeFollower,
        flickers: int = 0,
        candidates: CandidateSource | None = None,
        pace: FramePace = PACE,
        confirm: Confirmation | None = None,
    ) -> None:
        self.tracks: list[Track] = []
        self.actions: list[FrameAction] = []
        self.detector = detector or ScriptedDetector(*faces)
        self._flickers = flickers
        chosen = settings or AnalysisSettings()
        schedule = DetectionSchedule(both_searches(self.detector), chosen, pace, MIN_FACE_PX, candidates)
        self.tracker = FaceTracker(schedule, self.detector, follower(self.detector), chosen, pace, confirm)

    def show(self, frame: int, tick: int | None = None) -> None:
        image = self.detector.image(frame, 20 + 97 * min(frame, self._flickers) % 230)
        self.actions.append(self.tracker.update(frame, KnownImage(image), tick))
        self.tracks += self.tracker.take_ended()

    def play(self, frames: int, cuts: Sequence[int] = ()) -> list[Track]:
        """Show `frames` images with a new shot at each of `cuts`; the tracks by first frame."""
        for frame in range(frames):
            if frame in cuts:
                self.end_shot()
            self.show(frame)
        self.end_shot()
        return sorted(self.tracks, key=lambda t: (t.frames[0], t.id))

    def end_shot(self) -> None:
        self.tracker.search_last_frame()
        self.tracker.end_shot()
        self.tracks += self.tracker.take_ended()
