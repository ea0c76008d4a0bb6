"""The part of an image around a face that the speech networks see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.face_mesh import FACE_SIDE_PX
from core.models.speech_net import MOUTH_SIDE_PX
from core.types import ByteArray, FloatArray
from utils.images.face_alignment import warp
from utils.numbers.signal_filters import median

SMOOTHING_FRAMES = 13
"""about half a second at 25 frames a second: jumping boxes would look like moving mouths"""

MOUTH_REACH, MOUTH_TOP = 0.7, -0.3
"""a square, in halves of the box's longer side from its centre: to the left and right, and where its top is.

What LR-ASD was trained with. With this program's boxes, 0.85 times the size gives
F1 0.977, 1 gives 0.984 and 1.2 gives 0.966.
"""

FACE_REACH, FACE_TOP = 1.4, -1.0
"""the same of the square with the whole head for the face mesh, a little more than MediaPipe's 1.5 boxes"""


def smoothed_boxes(boxes: FloatArray) -> NDArray[np.float64]:
    """(K, 4): a running median over half a second of `boxes` (K, 4) xyxy at 25 a second."""
    width = min(SMOOTHING_FRAMES, 2 * ((len(boxes) - 1) // 2) + 1)
    return np.asarray(median(boxes.astype(np.float64), width), np.float64)


def mouth_image(luma: ByteArray, box: NDArray[np.float64]) -> ByteArray:
    """The mouth and its surroundings, (112, 112) uint8. luma: (H, W) in display pixels; box: (4,) xyxy."""
    return _square(luma, box, MOUTH_REACH, MOUTH_TOP, MOUTH_SIDE_PX)


def face_image(luma: ByteArray, box: NDArray[np.float64]) -> ByteArray:
    """The whole head, (192, 192) uint8. luma: (H, W) in display pixels; box: (4,) xyxy."""
    return _square(luma, box, FACE_REACH, FACE_TOP, FACE_SIDE_PX)


def _square(luma: ByteArray, box: NDArray[np.float64], reach: float, top: float, side: int) -> ByteArray:
    half = max(float(box[2] - box[0]), float(box[3] - box[1]), 2.0) / 2
    left = float(box[0] + box[2]) / 2 - reach * half
    upper = float(box[1] + box[3]) / 2 + top * half
    scale = side / (2 * reach * half)
    # Only the part that is read is processed: halving a whole 4K image for one face would cost more than the network.
    margin = 2 / scale
    x0, y0 = (max(int(at - margin), 0) for at in (left, upper))
    x1, y1 = (int(at + 2 * reach * half + margin) + 1 for at in (left, upper))
    x0, y0 = min(x0, luma.shape[1] - 1), min(y0, luma.shape[0] - 1)
    part = luma[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    matrix = np.array([[scale, 0, (x0 - left) * scale], [0, scale, (y0 - upper) * scale]])
    return warp(part, matrix, side)
