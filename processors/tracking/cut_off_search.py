"""Faces that are so large or so far out that the frame cuts them off, which MTCNN's search does not know.

Its search stretches at the frame's edge what reaches beyond it, and has no windows larger than the frame. YuNet
proposes what is visible of such a face. O-Net and R-Net judge that in crops that are grey beyond the frame, as they do
when such a face is followed, and say how far it extends.
"""

from __future__ import annotations

import numpy as np

from core.models.face_detector import FaceRefiner
from core.models.proposer import Proposer
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.leaning_search import PROPOSAL_SCALE, SAME_FACE_OVERLAP
from utils.area_sampling import LARGE_SHARE
from utils.box_geometry import are_apart, scaled_boxes
from utils.nms import non_maximum_suppression

MAX_PROPOSALS = 4
"""judged in one image, best first: more faces of this size have no room in it"""

LEAST_VISIBLE = 0.4
"""longer side of a proposal, as a share of the image's shorter side, from which it is judged: half of a large face"""

LOOKS = 2
"""at each proposal, each at what the one before made of it, because a proposal ends with the frame: of 93 frames of
close-ups of six people one look finds 0.76, two find 0.99 (docs/measurements/tracks.md)"""


class CutOffSearch:
    """Finds the large faces of an image that reach beyond it."""

    def __init__(self, proposer: Proposer, refiner: FaceRefiner, least_score: float) -> None:
        """least_score: of a face, on the refiner's scale."""
        self._proposer = proposer
        self._refiner = refiner
        self._least_score = least_score

    def find(self, image: ByteArray, min_face_px: float, explained: FloatArray) -> Detections:
        """Upright faces of `LARGE_SHARE` of the image's shorter side or more that reach beyond it, best first.

        image: (h, w, 3) uint8 RGB. min_face_px: as of the search for leaning faces, whose proposals are used again.
        explained: (K, 4) boxes of faces that were found already, px of the image.
        """
        height, width = image.shape[:2]
        boxes = self._proposer.propose(image, min_face_px)
        boxes = boxes[_longer_sides(boxes) >= LEAST_VISIBLE * min(height, width)]
        boxes = boxes[are_apart(boxes, explained, SAME_FACE_OVERLAP)][:MAX_PROPOSALS]
        if len(boxes) == 0:
            return Detections.empty()
        boxes = scaled_boxes(boxes, PROPOSAL_SCALE)
        for _ in range(LOOKS):
            found = self._refiner.refine(image, boxes)
            boxes = found.boxes
        reaches_out = ((boxes[:, :2] < 0) | (boxes[:, 2:] > [width, height])).any(1)
        is_large = _longer_sides(boxes) >= LARGE_SHARE * min(height, width)
        is_face = (found.scores >= self._least_score) & reaches_out & is_large
        found = found[is_face & are_apart(boxes, explained, SAME_FACE_OVERLAP)]
        order = non_maximum_suppression(found.boxes, found.scores, np.zeros(len(found), np.int64), SAME_FACE_OVERLAP)
        return found[order]


def _longer_sides(boxes: FloatArray) -> FloatArray:
    """(N,) px."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).max(1))
