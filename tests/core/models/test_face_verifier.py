"""Second opinions: dlib's MMOD, rebuilt, gives dlib's own scores."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from core.model_manager import ModelManager
from core.models.face_verifier import FaceVerifier
from core.models.networks.weights import locate
from core.types import ByteArray
from utils.images.face_alignment import warp


def cut(image: ByteArray, centre: tuple[float, float], face_px: float, turn: float = 0.0) -> ByteArray:
    """A crop of 200 px in which `face_px` of the image become 100, turned by `turn` radians."""
    cos, sin = 100 / face_px * np.cos(turn), 100 / face_px * np.sin(turn)
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0]])
    matrix[:, 2] = 100 - matrix[:, :2] @ centre
    return warp(image, matrix, 200)


@pytest.fixture(scope="module")
def crops(models: ModelManager, portraits: Mapping[str, ByteArray]) -> ByteArray:
    """Faces of the right size, larger and smaller ones, turned and dark ones, halves of faces, and none."""
    found = []
    for photo in portraits.values():
        image = np.ascontiguousarray(photo)
        box = models.detector.detect([image], 60)[0].boxes[0]
        x, y = (box[:2] + box[2:]) / 2
        size = float((box[2:] - box[:2]).max())
        found += [cut(image, (x, y), size * scale) for scale in (1.0, 0.7, 1.6, 2.5)]
        found += [cut(image, (x, y), size, turn) for turn in (-0.6, 0.4)]
        found += [found[0] // 3, cut(image, (x + size, y), size), cut(image, (x, y + 0.6 * size), size)]
    noise = np.random.RandomState(0).randint(0, 256, (200, 200, 3), np.uint8)
    return np.stack([*found, noise, np.full((200, 200, 3), 120, np.uint8)])


def test_scores_are_those_of_dlib(models: ModelManager, crops: ByteArray) -> None:
    from dlib import cnn_face_detection_model_v1

    detector = cnn_face_detection_model_v1(str(locate("mmod")))
    expected = [max((face.confidence for face in detector(crop, 0)), default=0.0) for crop in crops]
    assert expected.count(0) >= 4 and sum(score > 0.9 for score in expected) >= 4, "faces, and crops without any"
    assert models.verifier.scores(crops) == pytest.approx(expected, abs=1e-4)


def test_faces_are_known_from_other_things(models: ModelManager, crops: ByteArray) -> None:
    scores = models.verifier.scores(crops)
    assert scores.dtype == np.float32 and scores.shape == (len(crops),)
    assert scores[[0, 9]].min() > 0.7
    assert scores[-2:].tolist() == [0, 0]


def test_no_crops_have_no_scores() -> None:
    def net(images: ByteArray) -> tuple[()]:
        raise AssertionError("asked without need")

    assert FaceVerifier(net).scores(np.zeros((0, 200, 200, 3), np.uint8)).shape == (0,)
