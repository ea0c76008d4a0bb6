"""Sharp or blurred: how much fine detail an image's edges have, compared with the same image blurred on purpose.

The variance of the Laplacian (Pech-Pacheco 2000) by itself depends on what the image shows. Its ratio to that of a
re-blurred copy does not (the idea of Crete et al. 2007): blurring removes most of it from a sharp image, and little
from an image that is blurred already. The second derivative is taken in four directions and the lowest ratio counts,
because motion blur leaves the edges along the motion sharp. Only the places with the strongest edges count, so that
neither noise nor a soft background decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import ByteArray, FloatArray
from utils.images.rgb_images import fit_within

WORKING_SIDE_PX = 1024
"""longer side to which larger images are reduced: nobody looks at a photo more closely, and lenses are not sharper"""

DENOISE_SIGMA_PX = 0.7
"""of the Gaussian that suppresses noise before anything is measured"""
REBLUR_SIGMA_PX = 2.0
"""of the Gaussian that makes the blurred copy"""
BLOCK_PX = 16
"""side of the blocks whose detail is measured"""
EDGE_SHARE = 0.1
"""share of the blocks, those with the strongest edges, that counts"""
_MIN_BLOCKS = 4
FLAT_PERCENT = 20
"""percentage of the blocks, those with the least detail, that show how much of it is noise"""
_MIN_ENERGY = 1e-3

MIN_FACE_PX = 48.0
"""height at the working size from which a face is judged by itself"""
FACE_MARGIN = 0.15
"""what is added to each side of a face's box, in box sizes: its outline is its strongest edge"""
COMPARABLE_FACES = 0.5
"""faces of at least this share of the largest one's height count; the sharpest of them is what was focused on"""

SHARP_DETAIL = 2.4
"""log2 ratio from which an image is called sharp. Calibrated by benchmarks/quality/known_people.py, which has the error
rates: it finds blur of at least 2 px (Gaussian) or 9 px (motion) at the working size."""
SHARP_FACE_DETAIL = 2.1
"""the same for a face, whose skin has little detail"""
_SLOPE = 4.0
"""log-odds per unit of detail, for the figure between 0 and 1; 0.5 is the threshold"""

_KERNELS = tuple(
    np.array(rows, np.float32)
    for rows in (
        ((0, 0, 0), (1, -2, 1), (0, 0, 0)),
        ((0, 1, 0), (0, -2, 0), (0, 1, 0)),
        ((1, 0, 0), (0, -2, 0), (0, 0, 1)),
        ((0, 0, 1), (0, -2, 0), (1, 0, 0)),
    )
)
"""second derivatives along the rows, the columns and the diagonals"""


def detail(image: ByteArray) -> float:
    """How much finer the edges of `image` (h, w, 3) uint8 RGB are than those of a blurred copy, log2; -inf: no edges.

    About 3.6 in sharp images, 2.4 after a Gaussian blur of 1 px, 1.3 after 2 px, 0.4 after 5 px.
    """
    if min(image.shape[:2]) < 2 * BLOCK_PX:
        return -math.inf
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)
    seen = cv2.GaussianBlur(grey, (0, 0), DENOISE_SIGMA_PX)
    blurred = cv2.GaussianBlur(seen, (0, 0), REBLUR_SIGMA_PX)
    return min(_detail_along(np.asarray(seen), np.asarray(blurred), kernel) for kernel in _KERNELS)


def sharpness(image: ByteArray, faces: Sequence[FloatArray] = ()) -> float:
    """How sharp a photo is, in [0, 1]: 0.5 or more is sharp. Faces of some size decide, where there are any.

    Args:
        image: (h, w, 3) uint8 RGB. faces: boxes, each (4,) float32, xyxy in its pixels.
    """
    seen = fit_within(image, WORKING_SIDE_PX)
    scale = seen.shape[0] / image.shape[0]
    boxes = [box * scale for box in faces if (box[3] - box[1]) * scale >= MIN_FACE_PX]
    if not boxes:
        return _as_sharpness(detail(seen), SHARP_DETAIL)
    largest = max(float(box[3] - box[1]) for box in boxes)
    judged = [box for box in boxes if box[3] - box[1] >= COMPARABLE_FACES * largest]
    return max(_as_sharpness(detail(face_region(seen, box)), SHARP_FACE_DETAIL) for box in judged)


def face_region(image: ByteArray, box: FloatArray) -> ByteArray:
    """The part of `image` around a face's box, (4,) xyxy in its pixels."""
    margin = FACE_MARGIN * (box[2:] - box[:2])
    x1, y1 = np.clip(np.floor(box[:2] - margin), 0, None).astype(int)
    x2, y2 = np.ceil(box[2:] + margin).astype(int)
    return np.ascontiguousarray(image[y1:y2, x1:x2])


def _detail_along(seen: FloatArray, blurred: FloatArray, kernel: FloatArray) -> float:
    before, after = _block_energy(seen, kernel), _block_energy(blurred, kernel)
    count = max(int(len(after) * EDGE_SHARE), _MIN_BLOCKS)
    edges = np.argsort(-after, kind="stable")[:count]
    # Flat places hold nothing but noise, and it is everywhere.
    fine, coarse = (
        float(np.maximum(energy[edges] - np.percentile(energy, FLAT_PERCENT), 0).sum()) for energy in (before, after)
    )
    if coarse < _MIN_ENERGY:
        return -math.inf
    return math.log2((fine + _MIN_ENERGY) / (coarse + _MIN_ENERGY))


def _block_energy(grey: FloatArray, kernel: FloatArray) -> NDArray[np.float32]:
    """Mean square of a derivative in each block, (N,)."""
    square = np.asarray(cv2.filter2D(grey, cv2.CV_32F, kernel), np.float32) ** 2
    rows, columns = square.shape[0] // BLOCK_PX, square.shape[1] // BLOCK_PX
    blocks = square[: rows * BLOCK_PX, : columns * BLOCK_PX].reshape(rows, BLOCK_PX, columns, BLOCK_PX)
    return np.asarray(blocks.mean((1, 3)).ravel(), np.float32)


def _as_sharpness(measured: float, threshold: float) -> float:
    if measured == -math.inf:
        return 0.0
    return round(0.5 + 0.5 * math.tanh(_SLOPE * (measured - threshold) / 2), 4)
