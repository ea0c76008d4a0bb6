"""Small images of faces that were never seen, for what compares them at a glance."""

from __future__ import annotations

import cv2
import numpy as np

from core.types import FloatArray
from processors.faces.appearance import LOOK_MARGIN_PX, LOOK_SIDE_PX

SIDE = LOOK_SIDE_PX - 2 * LOOK_MARGIN_PX


def made_up_look(kind: int) -> FloatArray:
    """(576,) float32 as in `Appearance`, of unit length. The same number gives the same; others are unlike it."""
    coarse = np.random.RandomState(kind).uniform(-1, 1, (7, 7)).astype(np.float32)
    image = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    centred = (image - image.mean()).ravel()
    return np.asarray(centred / np.linalg.norm(centred), np.float32)
