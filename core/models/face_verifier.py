"""A second opinion on doubtful faces: dlib's MMOD detector, trained independently of MTCNN."""

from __future__ import annotations

import numpy as np

from core.models.inference.nets import Net
from core.models.networks.model_spec import input_side
from core.types import ByteArray, FloatArray

VERIFIER_SCALE, VERIFIER_SIDE_PX = 2.0, input_side("mmod")
"""side of the square crops that `FaceVerifier` and `QuickVerifier` take, as a multiple of the longer side of the face
in their middle, and in px: the face has 100 px, and MMOD's pyramid starts at about 80"""


class FaceVerifier:
    """Scores how much a crop looks like a face. Not thread-safe; about 0.03 s per crop on one core.

    The weights are read from dlib's file and run like those of the other networks
    (`core/models/networks/torch_dlib_nets.py`).
    """

    def __init__(self, net: Net) -> None:
        """net: `MmodNet`, or what it was converted to."""
        self._net = net

    def scores(self, crops: ByteArray) -> FloatArray:
        """Score of the best face in each crop, 0.0 if there is none; faces reach 0.7 to 1.2.

        crops: (N, 200, 200, 3) uint8 RGB, see `VERIFIER_SCALE`.
        """
        if len(crops) == 0:
            return np.zeros(0, np.float32)
        return self._net(crops)[0][:, 0]
