"""Face recognition networks: aligned faces in, unit vectors out."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.nets import Net, in_batches
from core.types import ByteArray, FloatArray
from utils.alignment import FACE_TEMPLATE, similarity_transform, upright_box_transform


class FaceEmbedder(Protocol):
    """What the analyser needs of a recognition network."""

    name: str
    """key of its calibration and of its weights in the registry"""
    side: int
    """chips are `side` x `side` px"""

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        """The 2x3 matrix from the picture to a chip. box: (4,) xyxy; landmarks: (5, 2)."""
        ...

    def embed(self, chips: ByteArray) -> FloatArray:
        """(N, side, side, 3) uint8 RGB chips -> (N, D) float32 rows of unit length."""
        ...


class FaceNetEmbedder:
    """InceptionResnetV1 trained on VGGFace2 (facenet-pytorch), 512 dimensions."""

    name = "facenet"
    side = 160

    def __init__(self, net: Net, *, batch_size: int) -> None:
        self._net = net
        self._batch_size = batch_size

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return upright_box_transform(box, landmarks, self.side)

    def embed(self, chips: ByteArray) -> FloatArray:
        if len(chips) == 0:
            return np.zeros((0, 512), np.float32)
        return _unit(in_batches(self._net, chips.astype(np.float32), self._batch_size)[0])


class DlibEmbedder:
    """dlib's ResNet (face_recognition_model_v1), 128 dimensions; the default that needs no download."""

    name = "dlib"
    side = 150

    def __init__(self, weights: Path) -> None:
        import dlib

        self._net = dlib.face_recognition_model_v1(str(weights))

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return similarity_transform(landmarks, FACE_TEMPLATE * self.side)

    def embed(self, chips: ByteArray) -> FloatArray:
        if len(chips) == 0:
            return np.zeros((0, 128), np.float32)
        rows = self._net.compute_face_descriptor([np.ascontiguousarray(chip) for chip in chips])
        return _unit(np.array([np.asarray(row) for row in rows], np.float32))


def _unit(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)
