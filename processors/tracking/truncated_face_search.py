"""Truncated faces: so large or so far out that the frame cuts a part off, which MTCNN's own search misses.

That search stretches at the frame's edge what reaches beyond it, and has no windows larger than the frame: it misses
such faces, or gives them boxes of another shape, which following then loses. Here R-Net and O-Net refine them in crops
that are grey beyond the frame, as they do when such a face is followed, and say how far it extends. YuNet proposes what
is visible of a face; it may miss one that fills the frame, so there the frame itself is proposed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.face_detector import FaceRefiner
from core.models.proposer import Proposer
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.tilted_face_search import PROPOSAL_SCALE, SAME_FACE_OVERLAP
from utils.images.area_sampling import LARGE_SHARE
from utils.images.box_geometry import are_apart, scaled_boxes
from utils.images.nms import non_maximum_suppression
from utils.processes.stage_times import timed

MAX_PROPOSALS = 4
"""refined in one image, best first: it has no room for more faces of this size"""

MIN_VISIBLE = 0.4
"""longer side of a proposal, as a share of the image's shorter side, from which it is refined: half of a large face"""

REFINEMENTS = 2
"""of each proposal, each from the box of the one before, because a proposal ends with the frame: in 93 frames of
close-ups of six people one finds 0.76 of the faces, two find 0.99 (docs/measurements/tracks.md)"""

SAME_REFINED_OVERLAP = 0.5
"""IoU from which two detections of a search are one face once their boxes are refined; before, they overlapped less"""

MAX_REFINEMENTS = 6
"""of a detection of a search, whose box may be half as high again as the face: scores are doubtful while refinements
approach the face, and sure once they have reached it"""

FRAME_SCALE = 1.6
"""side of the square around the middle, as a multiple of the image's height, that is proposed for a face that fills the
frame. On 96 frames of close-ups it finds as many as 1.3 and 2.0 together"""

MIN_FIRST_SCORE = 0.1
"""of the first refinement of that square, below which there is no second one: faces that fill the frame have 0.7 or
more, 4 % of 238 images without a face reach it"""


class TruncatedFaceSearch:
    """Finds the large faces of an image that reach beyond it."""

    def __init__(self, proposer: Proposer | None, refiner: FaceRefiner, least_score: float) -> None:
        """proposer: None: only faces that fill the frame are found. least_score: of a face, on the refiner's scale."""
        self._proposer = proposer
        self._refiner = refiner
        self._least_score = least_score

    @timed("truncated faces")
    def completed(self, image: ByteArray, found: Detections) -> Detections:
        """Detections of a search, (N,), with the whole boxes of truncated faces, as following would give them.

        image: (h, w, 3) uint8 RGB, that was searched.
        """
        rows = np.flatnonzero(_is_truncated(found.boxes, image))
        if len(rows) == 0:
            return found
        refined = self._refined(image, found.boxes[rows], MAX_REFINEMENTS)
        is_seen = refined.scores >= self._refiner.score_scale.seen
        boxes, landmarks = found.boxes.copy(), found.landmarks.copy()
        boxes[rows[is_seen]], landmarks[rows[is_seen]] = refined.boxes[is_seen], refined.landmarks[is_seen]
        return _distinct(Detections(boxes, found.scores, landmarks), SAME_REFINED_OVERLAP)

    @timed("truncated faces")
    def find(self, image: ByteArray, min_face_px: float, explained: FloatArray) -> Detections:
        """Upright faces of `LARGE_SHARE` of the image's shorter side or more that reach beyond it, best first.

        image: (h, w, 3) uint8 RGB. min_face_px: as of the search for tilted faces, whose proposals are used again.
        explained: (K, 4) boxes of faces that were found already, px of the image.
        """
        if self._proposer is None:
            return Detections.empty()
        boxes = self._proposer.propose(image, min_face_px)
        boxes = boxes[_longer_sides(boxes) >= MIN_VISIBLE * min(image.shape[:2])]
        boxes = boxes[are_apart(boxes, explained, SAME_FACE_OVERLAP)][:MAX_PROPOSALS]
        if len(boxes) == 0:
            return Detections.empty()
        found = self._refined(image, scaled_boxes(boxes, PROPOSAL_SCALE))
        is_face = (found.scores >= self._least_score) & _is_truncated(found.boxes, image)
        return _distinct(found[is_face & are_apart(found.boxes, explained, SAME_FACE_OVERLAP)])

    @timed("truncated faces")
    def find_filling(self, image: ByteArray) -> Detections:
        """The face that fills the image, (1 or 0,). image: (h, w, 3) uint8 RGB, in which no face was found."""
        height, width = image.shape[:2]
        frame = np.array([[width - height, 0, width + height, 2 * height]], np.float32) / 2
        first = self._refiner.refine(image, scaled_boxes(frame, FRAME_SCALE))
        if first.scores[0] < MIN_FIRST_SCORE:
            return Detections.empty()
        found = self._refiner.refine(image, first.boxes)
        return found[(found.scores >= self._least_score) & _is_truncated(found.boxes, image)]

    def _refined(self, image: ByteArray, boxes: FloatArray, at_most: int = REFINEMENTS) -> Detections:
        """Boxes, (N, 4), refined `REFINEMENTS` times, and up to `at_most` times while one of them is no sure face."""
        for number in range(1, at_most + 1):
            found = self._refiner.refine(image, boxes)
            boxes = found.boxes
            if number >= REFINEMENTS and found.scores.min() >= self._least_score:
                break
        return found


def _distinct(found: Detections, overlap: float = SAME_FACE_OVERLAP) -> Detections:
    """One of the detections of each face, best first. overlap: IoU of two from which they are of one."""
    return found[non_maximum_suppression(found.boxes, found.scores, np.zeros(len(found), np.int64), overlap)]


def _is_truncated(boxes: FloatArray, image: ByteArray) -> NDArray[np.bool_]:
    """(N,) which boxes, (N, 4), are large and reach beyond the image."""
    height, width = image.shape[:2]
    reaches_out = ((boxes[:, :2] < 0) | (boxes[:, 2:] > [width, height])).any(1)
    return np.asarray(reaches_out & (_longer_sides(boxes) >= LARGE_SHARE * min(height, width)))


def _longer_sides(boxes: FloatArray) -> FloatArray:
    """(N,) px."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).max(1))
