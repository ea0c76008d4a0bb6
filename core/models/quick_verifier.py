"""A second opinion in 2 ms: YuNet, which knows small, blurred and turned faces that dlib's MMOD does not."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.models.installed_files import installed_file
from core.models.openvino_graph import OpenVINOGraph
from core.models.proposal_weights import PROPOSAL_WEIGHTS
from core.models.proposer import shrunk_and_padded, yunet_boxes
from core.models.quantised_onnx import read_quantised
from core.types import ByteArray, FloatArray
from utils.box_geometry import iou_matrix
from utils.work_ahead import MadeOnce, make_ahead

CROP_PX = 200
"""side of a crop; the face that is asked about fills its middle half"""

MIN_OVERLAP = 0.3
"""least IoU of that half and a face that is meant; crops of groups show others, too"""

_LEAST_SCORE = 0.02


class QuickVerifier:
    """Scores the face in the middle of crops. Any number of threads may use it."""

    def __init__(self, model_file: Path) -> None:
        """model_file: OpenCV's quantised YuNet, verified. It is compiled on a helper thread."""
        side = shrunk_and_padded(np.zeros((CROP_PX, CROP_PX, 3), np.uint8), 1.0)[0].shape[0]
        shapes = {0: (1, 3, side, side)}
        self._net = MadeOnce(lambda: OpenVINOGraph(model_file, shapes=shapes, read=read_quantised))
        self._lock = threading.Lock()
        make_ahead(self._net, name="networks")

    def scores(self, crops: ByteArray) -> FloatArray:
        """(N,) in [0, 1]; 0.0 where no face is seen.

        crops: (N, 200, 200, 3) uint8 RGB, twice as large as the face box.

        Raises:
            ModelError: OpenVINO cannot read the network.
        """
        return np.array([self._score(crop) for crop in crops], np.float32)

    def _score(self, crop: ByteArray) -> float:
        image = shrunk_and_padded(crop, 1.0)[0]
        # YuNet was trained on images in OpenCV's order of colours.
        planes = np.ascontiguousarray(image[..., ::-1]).transpose(2, 0, 1)
        with self._lock:
            outputs = self._net.get()(planes[None])
        boxes, scores = yunet_boxes(outputs, image.shape[1], _LEAST_SCORE)
        return float(scores[_is_meant(boxes)].max(initial=0.0))


def _is_meant(boxes: FloatArray) -> NDArray[np.bool_]:
    """(N,) whether these boxes, pixels of a crop, are of the face that is asked about."""
    middle = np.array([[1, 1, 3, 3]], np.float32) * (CROP_PX / 4)
    return np.asarray(iou_matrix(boxes, middle)[:, 0] >= MIN_OVERLAP)


def load_quick_verifier() -> QuickVerifier:
    """The verifier, ready for use; where `is_yunet_usable`.

    Raises:
        ModelUnavailableError: another version of its package is installed.
        ModelChecksumError: the file is damaged or another one.
    """
    return QuickVerifier(installed_file(PROPOSAL_WEIGHTS["yunet"]))
