"""Face alignment: rotating, scaling and cropping faces so that they are upright and centred."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ARCFACE_TEMPLATE = (
    np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]) / 112
).astype(np.float32)
"""landmark positions in an aligned face of side 1, for networks trained like ArcFace

The numbers are those of OpenCV's FaceRecognizerSF, in pixels of its chips.
"""

FACE_TEMPLATE = np.array([[0.325, 0.313], [0.688, 0.313], [0.507, 0.515], [0.342, 0.723], [0.656, 0.727]], np.float32)
"""landmark positions in an aligned face of side 1: eyes, nose, mouth corners

The geometry is that of dlib's face chips (padding 0.25); the values are the medians of MTCNN's landmarks in such chips
over 95 faces of the development clips and photos. Embeddings of chips aligned by this template and by dlib's own
landmark model have a median cosine of 0.995.
"""


BEYOND_LEVEL = 127
"""grey of what lies above or below the frame: the mean that recognition networks subtract"""

_SHRINKING = 0.6
"""scale below which an image is halved before it is warped"""
_BLOCK_PX = 16
"""four halvings; faces that are shrunk more are off by less than a pixel of the result"""


def similarity_transform(source: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """The 2x3 matrix of rotation, scale and translation that maps `source` closest to `target`.

    source, target: (N, 2). Least squares (Umeyama 1991, without reflection).
    """
    source_mean, target_mean = source.mean(0), target.mean(0)
    a, b = source - source_mean, target - target_mean
    norm = max(float((a * a).sum()), 1e-9)
    cos = float((a * b).sum()) / norm
    sin = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / norm
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([turn, target_mean - turn @ source_mean])


def upright_box_transform(
    box: NDArray[np.float32], landmarks: NDArray[np.float32], side: int, margin: float = 0.0
) -> NDArray[np.float64]:
    """The 2x3 matrix that maps a face box to a `side` x `side` square with the eyes level.

    box: (4,) xyxy. landmarks: (5, 2), eyes first. margin: what the square shows beyond the box, as a share of the box's
    width and height, half of it on each side. Width and height are scaled independently, as in the training of
    FaceNet's published weights, where boxes were resized to squares.
    """
    centre = (box[:2] + box[2:]) / 2
    eyes = landmarks[1] - landmarks[0]
    angle = float(np.arctan2(eyes[1], eyes[0])) if abs(eyes[0]) > 1e-3 else 0.0
    cos, sin = np.cos(-angle), np.sin(-angle)
    scale = side / ((1 + margin) * np.maximum(box[2:] - box[:2], 1.0))
    turn = np.diag(scale) @ np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([turn, side / 2 - turn @ centre])


def warp(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], side: int, *, beyond: int | None = None
) -> NDArray[np.uint8]:
    """`side` x `side` pixels of `image` (h, w[, 3]) under the 2x3 `matrix` from image to result.

    Before strong shrinking, the part of the image that is read is halved by area averaging, to avoid aliasing.
    beyond: level of what is outside of the image; None: its edge is repeated.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    matrix = matrix.copy()
    if scale < _SHRINKING:
        image, matrix = _part_read(image, matrix, side)
    while scale < _SHRINKING and min(image.shape[:2]) > 2:
        smaller = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        matrix[:, 0] *= image.shape[1] / smaller.shape[1]
        matrix[:, 1] *= image.shape[0] / smaller.shape[0]
        image = np.asarray(smaller, np.uint8)
        scale *= 2
    border = cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT
    levels = (beyond or 0,) * 3
    warped = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=levels)
    return np.asarray(warped, np.uint8)


def face_chip(image: NDArray[np.uint8], matrix: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    """`side` x `side` pixels for a recognition network, like `warp`; what lies above or below the image is grey.

    The image's edge, repeated, makes stripes of lips or brows there. Grey, close-ups without chin, mouth or brows
    resemble the whole face more (docs/measurements/people.md). Left and right the edge is repeated, where grey is
    worse.

    image: (h, w, 3) uint8 RGB; where it ends within what is read, so does the frame. matrix: 2x3, from it to the chip.
    """
    chip = warp(image, matrix, side)
    top, bottom = transformed_bounds(matrix, side)[1::2]
    if top < 0 or bottom > image.shape[0]:
        inverse = cv2.invertAffineTransform(matrix)
        step = np.arange(side)
        y = inverse[1, 0] * step + inverse[1, 1] * step[:, None] + inverse[1, 2]
        chip[(y < -0.5) | (y > image.shape[0] - 0.5)] = BEYOND_LEVEL
    return chip


def _part_read(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of `image` that `warp` reads, and the matrix from that part; all of it if nothing is read."""
    bounds = transformed_bounds(matrix, side)
    # Whole blocks, so that the part is halved into the same pixels as the image; one more for the interpolation.
    low = np.floor(bounds[:2] / _BLOCK_PX - 1).astype(int) * _BLOCK_PX
    high = np.ceil(bounds[2:] / _BLOCK_PX + 1).astype(int) * _BLOCK_PX
    (x1, y1), (x2, y2) = np.maximum(low, 0), np.minimum(high, image.shape[1::-1])
    if x1 >= x2 or y1 >= y2:
        return image, matrix
    moved = matrix[:, 2] + matrix[:, :2] @ np.array([x1, y1])
    return image[y1:y2, x1:x2], np.column_stack([matrix[:, :2], moved])


def transformed_bounds(matrix: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """xyxy of the image region that a `side` x `side` warp under `matrix` reads, (4,) float32."""
    inverse = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]], np.float64)
    points = corners @ inverse[:, :2].T + inverse[:, 2]
    return np.concatenate([points.min(0), points.max(0)]).astype(np.float32)


def laplacian_variance(gray: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of a (h, w) uint8 image: the usual measure of sharpness (Pech-Pacheco 2000)."""
    return float(cv2.Laplacian(gray, cv2.CV_32F).var())


def yaw_measure(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each face is turned sideways: 0 frontal, about 0.5 half profile, above 1 profile.

    landmarks: (N, 5, 2) in the order of `Detections`. Returns (N,) float32: the nose's distance from
    the line between the midpoints of eyes and mouth, in half eye distances.
    """
    eyes, mouth = landmarks[:, :2].mean(1), landmarks[:, 3:].mean(1)
    down = mouth - eyes
    length = np.maximum(np.linalg.norm(down, axis=1), 1e-3)
    nose = landmarks[:, 2] - eyes
    across = np.abs(down[:, 0] * nose[:, 1] - down[:, 1] * nose[:, 0]) / length
    half_eyes = np.maximum(np.linalg.norm(landmarks[:, 1] - landmarks[:, 0], axis=1) / 2, length * 0.05)
    return np.asarray(across / half_eyes, np.float32)
