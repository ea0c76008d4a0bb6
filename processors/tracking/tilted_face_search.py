"""Tilted and lying faces, which MTCNN's search does not know: heads on shoulders, people on sofas, tilted cameras.

YuNet proposes them, in a small image that shows the picture turned either way, and sometimes in the picture as it is.
O-Net and R-Net judge what it proposes in crops that are turned upright, and YuNet is asked once more about each face
that they accept, because turned hands and clothes may look like faces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.models.face_detector import FaceDetector
from core.models.proposed_detector import MIN_SHARE
from core.models.proposer import Proposer
from core.models.turned_proposer import TurnedBoxes
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.second_opinion import Confirmation
from utils.images.box_geometry import are_apart, scaled_boxes
from utils.images.face_roll import face_rolls, is_tilted
from utils.images.nms import non_maximum_suppression
from utils.processes.stage_times import timed

UPRIGHT_TURN = 45.0
"""roll, either way, at which proposals of the image as it is are judged. They are few: small faces, which the turned
images show at half the size"""

MAX_CROPS = 12
"""judged in one image, best first: bounds the time that an image full of texture takes"""

PROPOSAL_SCALE = 0.8
"""YuNet's boxes are larger than MTCNN's by about this: they include the forehead"""

MIN_FIRST_SCORE = 0.02
"""of the first refinement, at the roll by which the image was turned, below which there is no second one; the second,
at the roll of the landmarks that the first gave, decides"""

SAME_PROPOSAL = 0.5
"""IoU of two proposals from which on one stands for both"""

SAME_FACE_OVERLAP = 0.3
"""least IoU of two boxes of one face"""


class TiltedFaceProposer(Protocol):
    """Proposes tilted faces. May be called by several threads."""

    def propose(self, image: ByteArray, min_face_px: float, /) -> TurnedBoxes:
        """As `TurnedProposer.propose`."""
        ...


class TiltedFaceSearch:
    """Finds the tilted faces of an image."""

    def __init__(
        self,
        turned: TiltedFaceProposer,
        upright: Proposer,
        judge: FaceDetector,
        confirm: Confirmation,
        least_score: float,
    ) -> None:
        """turned: shows its network turned images. upright: the image as it is. least_score: on the judge's scale."""
        self._turned = turned
        self._upright = upright
        self._judge = judge
        self._confirm = confirm
        self._least_score = least_score

    @timed("tilted faces")
    def find(
        self,
        image: ByteArray,
        proposals: TurnedBoxes,
        explained: FloatArray,
        ignore: Callable[[FloatArray], NDArray[np.bool_]] | None = None,
    ) -> Detections:
        """Faces tilted by more than `UPRIGHT_ROLL`, best first.

        image: (h, w, 3) uint8 RGB. proposals: those of the image. explained: (K, 4) boxes of faces that were found
        already. ignore: given boxes (N, 4), (N,) bool of those that need not be judged.
        """
        proposals = proposals[are_apart(proposals.boxes, explained, SAME_FACE_OVERLAP)]
        if ignore is not None:
            proposals = proposals[~ignore(proposals.boxes)]
        proposals = proposals[:MAX_CROPS]
        if len(proposals) == 0:
            return Detections.empty()
        found = self._judged(image, proposals)
        found = found[are_apart(found.boxes, explained, SAME_FACE_OVERLAP)]
        keep = non_maximum_suppression(found.boxes, found.scores, np.zeros(len(found), np.int64), SAME_FACE_OVERLAP)
        is_face = [self._confirm(image, found.boxes[row], found.landmarks[row]) for row in keep]
        return found[keep[np.array(is_face, bool)]]

    @timed("tilted faces")
    def proposals(self, image: ByteArray, min_face_px: float, *, as_it_is: bool) -> TurnedBoxes:
        """What may be tilted faces, best first. Another thread may call it.

        image: (h, w, 3) uint8 RGB. min_face_px: height of the smallest face that is wanted. as_it_is: search
        the image as it is, too, which is cheap where the quick detector searches it as well: its network runs once.
        """
        turned = self._turned.propose(image, min_face_px)
        if not as_it_is:
            return turned
        boxes = self._upright.propose(image, min_face_px)
        boxes = boxes[boxes[:, 3] - boxes[:, 1] >= MIN_SHARE * min_face_px]
        boxes = boxes[are_apart(boxes, turned.boxes, SAME_PROPOSAL)]
        rolls = np.tile(np.array([UPRIGHT_TURN, -UPRIGHT_TURN], np.float32), len(boxes))
        return turned.joined(TurnedBoxes(np.repeat(boxes, 2, axis=0), rolls))

    def _judged(self, image: ByteArray, proposals: TurnedBoxes) -> Detections:
        """The faces among the proposals."""
        first = self._judge.refine_turned(image, scaled_boxes(proposals.boxes, PROPOSAL_SCALE), proposals.rolls)
        first = first[first.scores >= MIN_FIRST_SCORE]
        found = self._judge.refine_turned(image, first.boxes, face_rolls(first.landmarks))
        return found[(found.scores >= self._least_score) & is_tilted(face_rolls(found.landmarks))]
