"""What a face looks like, cheaply: sharpness, and a small grey image that tells whether two frames show it alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.types import ByteArray, FloatArray
from utils.images.face_alignment import FACE_TEMPLATE, laplacian_variance, similarity_transform, warp

ALIGNED_SIDE_PX = 64
"""faces are measured aligned at this size, whatever their size in the frame"""

LOOK_SIDE_PX, LOOK_MARGIN_PX = 32, 4
"""the aligned face is shrunk to this size, and its border, which shows the background, is left out"""

_NOISE_LEVELS = 2.0
"""added to the contrast, grey levels: a face without any looks like no other"""


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """A face in one frame.

    sharpness: variance of the Laplacian on the face, aligned at 64 px.
    look: (576,) float32, grey levels of the aligned face, centred and of about unit length. The product of two is
    their correlation: light and contrast do not matter.
    """

    sharpness: float
    look: FloatArray


def appearance(image: ByteArray, landmarks: FloatArray, gain: float = 1.0) -> Appearance:
    """Measure a face. image: (h, w, 3) uint8 RGB. landmarks: (5, 2) in pixels of the image.

    gain: by which the contrast of the image was raised. Sharpness is measured as it was before: raised noise is no
    detail, and evidence of who somebody is must not trust it.
    """
    grey = _aligned(image, landmarks)
    small = cv2.resize(grey, (LOOK_SIDE_PX, LOOK_SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    inner = small[LOOK_MARGIN_PX:-LOOK_MARGIN_PX, LOOK_MARGIN_PX:-LOOK_MARGIN_PX].ravel()
    centred = inner - inner.mean()
    length = (float(centred.std()) + _NOISE_LEVELS) * np.sqrt(centred.size)
    return Appearance(laplacian_variance(grey) / gain**2, np.asarray(centred / length, np.float32))


def sharpness(image: ByteArray, landmarks: FloatArray) -> float:
    """Variance of the Laplacian on the face, aligned at 64 px. landmarks: (5, 2) in pixels of the image."""
    return laplacian_variance(_aligned(image, landmarks))


def _aligned(image: ByteArray, landmarks: FloatArray) -> ByteArray:
    matrix = similarity_transform(landmarks, FACE_TEMPLATE * ALIGNED_SIDE_PX)
    aligned = warp(image, matrix, ALIGNED_SIDE_PX)
    return np.asarray(cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY), np.uint8)
