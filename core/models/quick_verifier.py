"""A quick second opinion (2 ms): YuNet, which recognises small, blurred and turned faces that dlib's MMOD misses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.face_verifier import VERIFIER_SCALE, VERIFIER_SIDE_PX
from core.models.inference.dynamic_shape_graph import DynamicShapeGraph
from core.models.proposer import PROPOSERS, input_planes
from core.types import ByteArray, FloatArray
from utils.images.box_geometry import iou_matrix

MIN_OVERLAP = 0.3
"""least IoU of the middle of a crop and the face that the crop is about; crops of groups show others, too"""

_MIN_SCORE = 0.02
_YUNET = PROPOSERS["yunet"]


class QuickVerifier:
    """Scores the face in the middle of crops. Any number of threads may use it."""

    def __init__(self, graph: DynamicShapeGraph) -> None:
        """graph: OpenCV's quantised YuNet."""
        self._graph = graph

    def scores(self, crops: ByteArray) -> FloatArray:
        """(N,) in [0, 1]; 0.0 where no face is seen.

        crops: (N, 200, 200, 3) uint8 RGB, see `VERIFIER_SCALE`.

        Raises:
            ModelError: OpenVINO cannot read the network.
        """
        return np.array([self._score(crop) for crop in crops], np.float32)

    def _score(self, crop: ByteArray) -> float:
        planes = input_planes(crop, 1.0, is_bgr=_YUNET.is_bgr)[0]
        boxes, scores = _YUNET.heads(self._graph(planes), planes.shape[3], _MIN_SCORE)
        return float(scores[_is_in_the_middle(boxes)].max(initial=0.0))


def _is_in_the_middle(boxes: FloatArray) -> NDArray[np.bool_]:
    """(N,) whether these boxes, pixels of a crop, are of the face that is asked about."""
    margin = (1 - 1 / VERIFIER_SCALE) / 2
    middle = np.array([[margin, margin, 1 - margin, 1 - margin]], np.float32) * VERIFIER_SIDE_PX
    return np.asarray(iou_matrix(boxes, middle)[:, 0] >= MIN_OVERLAP)
