"""MTCNN's cascade (Zhang et al. 2016), with its stages batched over images and pyramid levels.

The networks and their weights are those of facenet-pytorch. The arithmetic between them follows its `detect_face`, so
that both find the same faces. In addition, regions that tracked faces explain can be left out, and the last network
alone can follow a face (`refine`).
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import GPUMemoryError
from core.models.face_detector import Candidates, ImageSampler
from core.models.inference.nets import Images, Net
from core.models.networks.model_spec import ScoreScale, input_side, score_scale_of
from core.types import ByteArray, Detections, FloatArray, IntArray
from utils.images.area_sampling import SampledImages, few_squares
from utils.images.face_roll import is_tilted, squares_of, turned_crops, turned_into_image
from utils.images.nms import non_maximum_suppression
from utils.processes.stage_times import timed

PYRAMID_FACTOR = 0.709
"""ratio of two pyramid scales; half the area, as in the paper and in facenet-pytorch"""

PNET_CELL_PX, PNET_STRIDE_PX = 12, 2
RNET_SIDE, ONET_SIDE = input_side("rnet"), input_side("onet")
THRESHOLDS = (0.6, 0.7, 0.7)
"""scores of P-Net, R-Net and O-Net below which a candidate is dropped: facenet-pytorch's defaults"""

RNET_CHECK_SCORE = 0.97
"""when a face is followed, R-Net is consulted if O-Net scores less than this"""

EXPLAINED_SHARE = 0.6
"""a candidate is skipped if it and a tracked face share more than this part of the smaller one's area ..."""

EXPLAINED_RATIO = (0.2, 3.0)
"""... and its area is between these multiples of the face's: other faces may be visible in front of it or behind it"""

MAX_CANDIDATES = 1500
"""per image and stage, best first: bounds time and memory for images full of texture"""


class MtcnnDetector:
    """A `FaceDetector`. The methods of the protocol are documented there."""

    def __init__(
        self,
        pnet: Net,
        rnet: Net,
        onet: Net,
        *,
        sample: Callable[[Sequence[ByteArray]], ImageSampler] = SampledImages,
    ) -> None:
        """sample: prepares the input of the networks, on the device that they run on."""
        self._pnet, self._rnet, self._onet = pnet, rnet, onet
        self._sample = sample
        self._proposing = threading.Lock()

    @property
    def score_scale(self) -> ScoreScale:
        """Of O-Net's score, which detections and refined faces have."""
        return score_scale_of("onet")

    def detect(
        self,
        images: Sequence[ByteArray],
        min_face_px: float,
        *,
        explained: Sequence[FloatArray] | None = None,
        ignore: Callable[[FloatArray], NDArray[np.bool_]] | None = None,
        thresholds: tuple[float, float, float] = THRESHOLDS,
        candidates: Candidates | None = None,
    ) -> list[Detections]:
        """As `FaceDetector.detect`. thresholds: scores of the three networks."""
        if not images:
            return []
        try:
            candidates = candidates or self._propose(images, min_face_px, thresholds[0])
            if candidates.sampled is None:
                candidates = dataclasses.replace(candidates, sampled=self._sample(images))
            return self._detect(candidates, len(images), explained, ignore, thresholds)
        except GPUMemoryError:
            if len(images) == 1:
                raise
        # Outside of the except block, because the error keeps the memory of the failed call alive.
        half = len(images) // 2
        return [
            found
            for part in (slice(0, half), slice(half, None))
            for found in self.detect(
                images[part],
                min_face_px,
                explained=None if explained is None else explained[part],
                ignore=ignore,
                thresholds=thresholds,
            )
        ]

    def candidates(self, image: ByteArray, min_face_px: float) -> Candidates:
        """As `FaceDetector.candidates`."""
        return self._propose([image], min_face_px, THRESHOLDS[0])

    def _detect(
        self,
        candidates: Candidates,
        images: int,
        explained: Sequence[FloatArray] | None,
        ignore: Callable[[FloatArray], NDArray[np.bool_]] | None,
        thresholds: tuple[float, float, float],
    ) -> list[Detections]:
        sampled, boxes, owner = candidates.sampled, candidates.boxes, candidates.owner
        assert sampled is not None
        if explained is not None and len(boxes):
            free = np.ones(len(boxes), bool)
            for i, known in enumerate(explained):
                mine = owner == i
                free[mine] = ~_inside(boxes[mine], known)
            boxes, owner = boxes[free], owner[free]
        if ignore is not None and len(boxes):
            free = ~ignore(boxes)
            boxes, owner = boxes[free], owner[free]
        boxes, owner = self._filter(sampled, boxes, owner, thresholds[1])
        found = self._finish(sampled, boxes, owner, thresholds[2])
        return [_suppress_minimum(found[0][found[1] == i]) for i in range(images)]

    @timed("follow")
    def refine(self, image: ByteArray, boxes: FloatArray, rolls: FloatArray | None = None) -> Detections:
        """As `FaceRefiner.refine`. Box, landmarks and score are O-Net's.

        If O-Net is unsure, the score is the geometric mean of its score and R-Net's: O-Net alone drops to 0.3 on
        profiles that R-Net is sure of, and stays at 0.9 on a shoulder that R-Net doubts.
        """
        if len(boxes) == 0:
            return Detections.empty()
        squares = squared(boxes)
        found = self._regress_surely(few_squares(image, squares, ONET_SIDE), squares)
        if rolls is not None:
            for row in np.flatnonzero(is_tilted(rolls)):
                one = slice(row, row + 1)
                turned = self.refine_turned(image, boxes[one], rolls[one])
                # The roll may be wrong: of a profile in doubt the landmarks are guesses.
                better = max(self.score_scale.seen, float(found.scores[row]))
                if turned.scores[0] >= min(self.score_scale.calm, better):
                    found.boxes[one], found.scores[one] = turned.boxes, turned.scores
                    found.landmarks[one] = turned.landmarks
        return found

    def refine_turned(self, image: ByteArray, boxes: FloatArray, rolls: FloatArray) -> Detections:
        """As `FaceRefiner.refine_turned`."""
        if len(boxes) == 0:
            return Detections.empty()
        squares = squares_of(boxes, rolls)
        found = self._regress_surely(turned_crops(image, squares, rolls, ONET_SIDE), squares)
        upright, points = turned_into_image(squares, rolls, found.boxes, found.landmarks)
        return Detections(upright, found.scores, points)

    def _regress_surely(self, crops: FloatArray, squares: FloatArray) -> Detections:
        """O-Net's rows, with R-Net's opinion of those that O-Net is not sure of."""
        found = self._regress(crops, squares)
        scores = found.scores.copy()
        doubtful = np.flatnonzero(scores < RNET_CHECK_SCORE)
        if len(doubtful):
            small = np.stack(
                [cv2.resize(c, (RNET_SIDE, RNET_SIDE), interpolation=cv2.INTER_AREA) for c in crops[doubtful]]
            )
            second = self._rnet(small)[1][:, 1]
            scores[doubtful] = np.sqrt(scores[doubtful] * second)
        return Detections(found.boxes, scores, found.landmarks)

    @timed("P-Net")
    def _propose(self, images: Sequence[ByteArray], min_face_px: float, threshold: float) -> Candidates:
        """Run P-Net on the pyramid."""
        with self._proposing:
            sampled = self._sample(images)
            return Candidates(*self._scan(sampled, min_face_px, threshold), sampled)

    def _scan(self, sampled: ImageSampler, min_face_px: float, threshold: float) -> tuple[FloatArray, IntArray]:
        """Square candidates, and the index of the image of each."""
        height, width = sampled.height, sampled.width
        boxes, scores, owner = [_NO_PROPOSALS], [np.zeros(0, np.float32)], [np.zeros(0, np.int64)]
        scale = PNET_CELL_PX / min_face_px
        while min(height, width) * scale >= PNET_CELL_PX:
            level = sampled.level(int(height * scale + 1), int(width * scale + 1))
            offsets, probability = self._pnet(level)
            box, score, index = _proposals(offsets, probability[:, 1], scale, threshold)
            keep = non_maximum_suppression(box[:, :4], score, index, 0.5)
            boxes.append(box[keep])
            scores.append(score[keep])
            owner.append(index[keep])
            scale *= PYRAMID_FACTOR
        all_boxes, all_scores, all_owner = np.concatenate(boxes), np.concatenate(scores), np.concatenate(owner)
        keep = non_maximum_suppression(all_boxes[:, :4], all_scores, all_owner, 0.7)
        keep = _best_of_each(keep, all_owner)
        box, offset = all_boxes[keep, :4], all_boxes[keep, 4:]
        return squared(box + offset * np.tile(box[:, 2:] - box[:, :2], 2)), all_owner[keep]

    @timed("R-Net")
    def _filter(
        self, sampled: ImageSampler, boxes: FloatArray, owner: IntArray, threshold: float
    ) -> tuple[FloatArray, IntArray]:
        """The candidates that R-Net accepts, moved by its regression and squared."""
        if len(boxes) == 0:
            return boxes, owner
        offsets, probability = self._rnet(sampled.crops(boxes, owner, RNET_SIDE))
        score = probability[:, 1]
        good = np.flatnonzero(score > threshold)
        boxes, score, owner, offsets = boxes[good], score[good], owner[good], offsets[good]
        keep = non_maximum_suppression(boxes, score, owner, 0.7)
        return squared(_moved(boxes[keep], offsets[keep])), owner[keep]

    @timed("O-Net")
    def _finish(
        self, sampled: ImageSampler, boxes: FloatArray, owner: IntArray, threshold: float
    ) -> tuple[Detections, IntArray]:
        """O-Net's faces with score and landmarks, and the index of the image of each."""
        if len(boxes) == 0:
            return Detections.empty(), owner
        found = self._regress(sampled.crops(boxes, owner, ONET_SIDE), boxes)
        good = np.flatnonzero(found.scores > threshold)
        return found[good], owner[good]

    def _regress(self, crops: Images, squares: FloatArray) -> Detections:
        offsets, points, probability = self._onet(crops)
        size = squares[:, 2:] - squares[:, :2] + 1
        landmarks = np.stack([points[:, :5], points[:, 5:]], axis=2) * size[:, None] + squares[:, None, :2] - 1
        return Detections(_moved(squares, offsets), probability[:, 1], landmarks.astype(np.float32))


_NO_PROPOSALS = np.zeros((0, 8), np.float32)


def _proposals(
    offsets: FloatArray, probability: FloatArray, scale: float, threshold: float
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Cells of P-Net's map above the threshold: (K, 8) boxes and offsets, (K,) scores, (K,) image index.

    offsets: (n, 4, rows, columns); probability: (n, rows, columns).
    """
    index, row, column = np.nonzero(probability >= threshold)
    corner = np.stack([column, row], 1).astype(np.float32)
    low = np.floor((PNET_STRIDE_PX * corner + 1) / scale)
    high = np.floor((PNET_STRIDE_PX * corner + PNET_CELL_PX) / scale)
    boxes = np.concatenate([low, high, offsets[index, :, row, column]], 1).astype(np.float32)
    return boxes, probability[index, row, column], index.astype(np.int64)


def _best_of_each(order: IntArray, owner: IntArray) -> IntArray:
    """The first MAX_CANDIDATES rows of each image; `order` lists rows best first."""
    return np.concatenate([order[owner[order] == i][:MAX_CANDIDATES] for i in np.unique(owner[order])] or [order])


def _moved(boxes: FloatArray, offsets: FloatArray) -> FloatArray:
    """Boxes moved by a network's regression, which is in units of the box size (facenet-pytorch's `bbreg`)."""
    size = boxes[:, 2:] - boxes[:, :2] + 1
    return np.asarray(boxes + offsets * np.tile(size, 2), np.float32)


def squared(boxes: FloatArray) -> FloatArray:
    """(N, 4) float32: around the centre of each box a square with its longer side (facenet-pytorch's `rerec`).

    boxes: (N, 4), xyxy, any unit.
    """
    half = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True) / 2
    centre = (boxes[:, 2:] + boxes[:, :2]) / 2
    return np.asarray(np.concatenate([centre - half, centre + half], 1), np.float32)


def _inside(boxes: FloatArray, known: FloatArray) -> NDArray[np.bool_]:
    """(N,) which boxes lie mostly on one of the known faces and have a similar size."""
    if len(known) == 0 or len(boxes) == 0:
        return np.zeros(len(boxes), bool)
    low = np.maximum(boxes[:, None, :2], known[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], known[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(2)
    area = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-6)[:, None]
    known_area = np.maximum((known[:, 2:] - known[:, :2]).prod(1), 1e-6)[None, :]
    shared = overlap > EXPLAINED_SHARE * np.minimum(area, known_area)
    alike = (area > EXPLAINED_RATIO[0] * known_area) & (area < EXPLAINED_RATIO[1] * known_area)
    return np.asarray((shared & alike).any(1))


def _suppress_minimum(found: Detections) -> Detections:
    """Final NMS by intersection over the smaller box (facenet-pytorch's "Min"), best first."""
    order = non_maximum_suppression(found.boxes, found.scores, np.zeros(len(found), np.int64), 0.7, over_smaller=True)
    return found[order]
