"""Faces that are so large or so far out that the frame cuts them off, which MTCNN's search does not know.

Its search stretches at the frame's edge what reaches beyond it, and has no windows larger than the frame: it misses
such faces, or gives them boxes of another shape, which following then loses. Here O-Net and R-Net judge them in crops
that are grey beyond the frame, as they do when such a face is followed, and say how far it extends. YuNet proposes what
is visible of a face; of one that fills the frame it may know nothing, so there the frame itself is proposed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.face_detector import FaceRefiner
from core.models.proposer import Proposer
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.tilted_face_search import PROPOSAL_SCALE, SAME_FACE_OVERLAP
from utils.area_sampling import LARGE_SHARE
from utils.box_geometry import are_apart, scaled_boxes
from utils.nms import non_maximum_suppression
from utils.stage_times import timed

MAX_PROPOSALS = 4
"""judged in one image, best first: more faces of this size have no room in it"""

MIN_VISIBLE = 0.4
"""longer side of a proposal, as a share of the image's shorter side, from which it is judged: half of a large face"""

LOOKS = 2
"""at each proposal, each at what the one before made of it, because a proposal ends with the frame: of 93 frames of
close-ups of six people one look finds 0.76, two find 0.99 (docs/measurements/tracks.md)"""

ONE_PLACE = 0.5
"""IoU from which two detections of a search are one once their boxes are settled; before, they overlapped less"""

MAX_LOOKS = 6
"""at a detection of a search, whose box may be half as high again as the face: looks at such a box come nearer with
doubtful scores, and are sure once they are right"""

FRAME_SCALE = 1.6
"""side of the square around the middle, as a multiple of the image's height, that is proposed of a face that fills the
frame. On 96 frames of close-ups it finds as many as 1.3 and 2.0 together"""

MIN_FIRST_SCORE = 0.1
"""of a first look at that square, below which there is no second one: faces that fill the frame have 0.7 or more, of
238 images without a face 4 % reach it"""


class CutOffSearch:
    """Finds the large faces of an image that reach beyond it."""

    def __init__(self, proposer: Proposer | None, refiner: FaceRefiner, least_score: float) -> None:
        """proposer: None: only faces that fill the frame are found. least_score: of a face, on the refiner's scale."""
        self._proposer = proposer
        self._refiner = refiner
        self._least_score = least_score

    @timed("cut-off faces")
    def settled(self, image: ByteArray, found: Detections) -> Detections:
        """Detections of a search, (N,), those of faces that are cut off with the boxes that following would give them.

        image: (h, w, 3) uint8 RGB, that was searched.
        """
        rows = np.flatnonzero(_is_cut_off(found.boxes, image))
        if len(rows) == 0:
            return found
        looked_at = self._look(image, found.boxes[rows], MAX_LOOKS)
        is_seen = looked_at.scores >= self._refiner.score_scale.seen
        boxes, landmarks = found.boxes.copy(), found.landmarks.copy()
        boxes[rows[is_seen]], landmarks[rows[is_seen]] = looked_at.boxes[is_seen], looked_at.landmarks[is_seen]
        return _distinct(Detections(boxes, found.scores, landmarks), ONE_PLACE)

    @timed("cut-off faces")
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
        found = self._look(image, scaled_boxes(boxes, PROPOSAL_SCALE))
        is_face = (found.scores >= self._least_score) & _is_cut_off(found.boxes, image)
        return _distinct(found[is_face & are_apart(found.boxes, explained, SAME_FACE_OVERLAP)])

    @timed("cut-off faces")
    def find_filling(self, image: ByteArray) -> Detections:
        """The face that fills the image, (1 or 0,). image: (h, w, 3) uint8 RGB, in which no face was found."""
        height, width = image.shape[:2]
        frame = np.array([[width - height, 0, width + height, 2 * height]], np.float32) / 2
        first = self._refiner.refine(image, scaled_boxes(frame, FRAME_SCALE))
        if first.scores[0] < MIN_FIRST_SCORE:
            return Detections.empty()
        found = self._refiner.refine(image, first.boxes)
        return found[(found.scores >= self._least_score) & _is_cut_off(found.boxes, image)]

    def _look(self, image: ByteArray, boxes: FloatArray, most: int = LOOKS) -> Detections:
        """What `LOOKS` looks make of boxes, (N, 4), with more looks, at most `most`, while one is no sure face."""
        for number in range(1, most + 1):
            found = self._refiner.refine(image, boxes)
            boxes = found.boxes
            if number >= LOOKS and found.scores.min() >= self._least_score:
                break
        return found


def _distinct(found: Detections, overlap: float = SAME_FACE_OVERLAP) -> Detections:
    """One of the detections of each face, best first. overlap: IoU of two from which they are of one."""
    return found[non_maximum_suppression(found.boxes, found.scores, np.zeros(len(found), np.int64), overlap)]


def _is_cut_off(boxes: FloatArray, image: ByteArray) -> NDArray[np.bool_]:
    """(N,) which boxes, (N, 4), are large and reach beyond the image."""
    height, width = image.shape[:2]
    reaches_out = ((boxes[:, :2] < 0) | (boxes[:, 2:] > [width, height])).any(1)
    return np.asarray(reaches_out & (_longer_sides(boxes) >= LARGE_SHARE * min(height, width)))


def _longer_sides(boxes: FloatArray) -> FloatArray:
    """(N,) px."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).max(1))
