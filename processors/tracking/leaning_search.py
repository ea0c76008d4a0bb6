"""Faces that lean or lie, which MTCNN's search does not know: heads on shoulders, people on sofas, tilted cameras.

YuNet proposes them, in the image as it is and in a smaller one that is turned either way. O-Net and R-Net judge what it
proposes in crops that are turned upright, and YuNet is asked once more about each face that they accept, because turned
hands and clothes may look like faces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.face_detector import FaceDetector
from core.models.proposed_detector import LEAST_SHARE
from core.models.proposer import Proposer
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.second_opinion import Confirmation
from utils.box_geometry import are_apart, scaled_boxes
from utils.leaning_faces import face_leans, is_leaning, turned_both_ways
from utils.nms import non_maximum_suppression
from utils.stage_times import timed

IMAGE_TURN = 60.0
"""degrees by which images are turned for the proposals, either way. YuNet gives three people in clips turned by 50 and
60 degrees 0.05 to 0.56 in the image as it is, where 0.2 is a proposal, and 0.89 to 0.93 in the image turned by 45; with
60, faces that lie are within its reach, too"""

TURNS = (45.0, -45.0, 90.0, -90.0)
"""leans that a proposal is judged at. O-Net gives 0.9 or more to nearly all faces that lean by up to 45 degrees more or
less, so neighbours overlap; the second look is at the lean that the landmarks of the first have"""

MAX_PROPOSALS = 8
"""judged in one image, best first: bounds the time that an image full of texture takes"""

PROPOSAL_SCALE = 0.8
"""YuNet's boxes are larger than MTCNN's by about this: they include the forehead"""

SAME_PROPOSAL = 0.5
"""IoU of two proposals from which on one stands for both"""

SAME_FACE_OVERLAP = 0.3
"""least IoU of two boxes of one face"""


class LeaningSearch:
    """Finds the faces of an image that lean."""

    def __init__(self, proposer: Proposer, judge: FaceDetector, confirm: Confirmation, least_score: float) -> None:
        """least_score: of a face, on the judge's scale."""
        self._proposer = proposer
        self._judge = judge
        self._confirm = confirm
        self._least_score = least_score

    @timed("leaning faces")
    def find(self, image: ByteArray, boxes: FloatArray, explained: FloatArray) -> Detections:
        """Faces that lean by more than `UPRIGHT_LEAN`, best first.

        image: (h, w, 3) uint8 RGB. boxes: (N, 4), its `proposals`. explained: (K, 4) boxes of faces that were found
        already.
        """
        boxes = boxes[are_apart(boxes, explained, SAME_FACE_OVERLAP)][:MAX_PROPOSALS]
        if len(boxes) == 0:
            return Detections.empty()
        found = self._judged(image, scaled_boxes(boxes, PROPOSAL_SCALE))
        found = found[are_apart(found.boxes, explained, SAME_FACE_OVERLAP)]
        keep = non_maximum_suppression(found.boxes, found.scores, np.zeros(len(found), np.int64), SAME_FACE_OVERLAP)
        is_face = [self._confirm(image, found.boxes[row], found.landmarks[row]) for row in keep]
        return found[keep[np.array(is_face, bool)]]

    @timed("leaning faces")
    def proposals(self, image: ByteArray, min_face_px: float) -> FloatArray:
        """(N, 4) boxes in the image, those of the image as it is first. Another thread may call it.

        image: (h, w, 3) uint8 RGB. min_face_px: height of the smallest face that is wanted.
        """
        # Of the same size, because the proposer would have to be prepared for another; so small faces are left out.
        turned, back = turned_both_ways(image, IMAGE_TURN)
        both = self._proposer.propose(turned, min_face_px)
        # Second, because the quick detector may be looking at the same image, and the proposer answers once for both.
        upright = self._proposer.propose(image, min_face_px)
        is_second = _is_in_second_half(both, image.shape[1], image.shape[0])
        found = [upright, _moved_back(both[~is_second], back[0]), _moved_back(both[is_second], back[1])]
        boxes = np.concatenate(found)
        boxes = boxes[boxes[:, 3] - boxes[:, 1] >= LEAST_SHARE * min_face_px]
        first_counts = np.linspace(1, 0, len(boxes), dtype=np.float32)
        return boxes[non_maximum_suppression(boxes, first_counts, np.zeros(len(boxes), np.int64), SAME_PROPOSAL)]

    def _judged(self, image: ByteArray, boxes: FloatArray) -> Detections:
        """The faces among the proposals, (N, 4)."""
        turns = np.repeat(np.array(TURNS, np.float32), len(boxes))
        first = self._judge.refine_turned(image, np.tile(boxes, (len(TURNS), 1)), turns)
        best = first.scores.reshape(len(TURNS), -1).argmax(0) * len(boxes) + np.arange(len(boxes))
        found = self._judge.refine_turned(image, first.boxes[best], face_leans(first.landmarks[best]))
        return found[(found.scores >= self._least_score) & is_leaning(face_leans(found.landmarks))]


def _is_in_second_half(boxes: FloatArray, width: int, height: int) -> NDArray[np.bool_]:
    """(N,) in which half of an image of `turned_both_ways` the middle of each box, (N, 4), lies."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.asarray(middle[:, 0] >= width / 2 if width >= height else middle[:, 1] >= height / 2)


def _moved_back(boxes: FloatArray, matrix: NDArray[np.float64]) -> FloatArray:
    """Squares, (N, 4), in the place of boxes that were found in a turned image. matrix: 2x3, out of that image."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    half = scale * np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(1, keepdims=True)) / 2
    return np.concatenate([centre - half, centre + half], 1).astype(np.float32)
