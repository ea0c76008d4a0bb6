"""A face detector of two parts: a one-pass network proposes where faces are, MTCNN's R-Net and O-Net judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.models.face_detector import Candidates, FaceDetector
from core.models.mtcnn import squared
from core.models.networks.model_spec import ScoreScale
from core.models.proposer import Proposer
from core.types import ByteArray, Detections, FloatArray

MIN_SHARE = 0.8
"""proposals lower than this share of the smallest wanted face are dropped"""

SCALES = (0.7, 1.0)
SHIFTS = ((0.0, 0.0), (0.15, 0.0), (-0.15, 0.0), (0.0, 0.2))
"""Each proposal is judged as squares of these sizes, moved by these shares of its width and height.

The pyramid gives a dozen squares for each face, of which the best decides; one alone loses a fortieth of the faces.
Boxes of proposing networks include the forehead, MTCNN's less of it, so squares are smaller and lie lower.
"""


class ProposedDetector:
    """A `FaceDetector`. Scores, landmarks and `refine` are those of MTCNN, so every threshold behind it holds."""

    def __init__(self, proposer: Proposer, judge: FaceDetector) -> None:
        """judge: MTCNN, whose pyramid is not used."""
        self._proposer = proposer
        self._judge = judge

    def prepare(self) -> None:
        """Get ready ahead of the first search; does not wait."""
        self._proposer.prepare()

    @property
    def score_scale(self) -> ScoreScale:
        """As `FaceRefiner.score_scale`."""
        return self._judge.score_scale

    def refine(self, image: ByteArray, boxes: FloatArray, rolls: FloatArray | None = None) -> Detections:
        """As `FaceRefiner.refine`."""
        return self._judge.refine(image, boxes, rolls)

    def refine_turned(self, image: ByteArray, boxes: FloatArray, rolls: FloatArray) -> Detections:
        """As `FaceRefiner.refine_turned`."""
        return self._judge.refine_turned(image, boxes, rolls)

    def candidates(self, image: ByteArray, min_face_px: float) -> Candidates:
        """As `FaceDetector.candidates`."""
        boxes = self._proposer.propose(image, min_face_px)
        boxes = squares_around(boxes[boxes[:, 3] - boxes[:, 1] >= MIN_SHARE * min_face_px])
        return Candidates(boxes, np.zeros(len(boxes), np.int64))

    def detect(
        self,
        images: Sequence[ByteArray],
        min_face_px: float,
        *,
        explained: Sequence[FloatArray] | None = None,
        ignore: Callable[[FloatArray], NDArray[np.bool_]] | None = None,
        candidates: Candidates | None = None,
    ) -> list[Detections]:
        """As `FaceDetector.detect`."""
        candidates = candidates or self._candidates_of_all(images, min_face_px)
        return self._judge.detect(images, min_face_px, explained=explained, ignore=ignore, candidates=candidates)

    def _candidates_of_all(self, images: Sequence[ByteArray], min_face_px: float) -> Candidates | None:
        if not images:
            return None
        boxes = [self.candidates(image, min_face_px).boxes for image in images]
        owner = np.repeat(np.arange(len(images)), [len(one) for one in boxes])
        return Candidates(np.concatenate(boxes), owner)


def squares_around(boxes: FloatArray) -> FloatArray:
    """(8 N, 4) float32: the squares as which the boxes (N, 4) are judged."""
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    moved = [
        np.concatenate([centre + 2 * half * shift - scale * half, centre + 2 * half * shift + scale * half], 1)
        for scale in SCALES
        for shift in SHIFTS
    ]
    return squared(np.concatenate(moved).astype(np.float32))
