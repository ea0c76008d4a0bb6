"""Shrinking an image strongly, at a cost that hardly depends on its size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def shrunk(image: NDArray[np.uint8], width: int, height: int, samples: int) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: means over cells, each of at most `samples` x `samples` evenly spread pixels.

    image: (h, w, 3) uint8; rows may lie apart in memory.
    """
    fine = min(width * samples, image.shape[1]), min(height * samples, image.shape[0])
    thinned = cv2.resize(image, fine, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(thinned, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
