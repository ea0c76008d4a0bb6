"""Weak detections: which part of the image the second opinion sees, and what it has to say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.types import ByteArray, FloatArray
from processors.faces.track_check import MIN_QUICK_OPINION
from processors.faces.weak_detections import WeakDetectionCheck
from tests.material.scripted_faces import landmarks_in


class Verifier:
    def __init__(self, opinion: float) -> None:
        self.opinion = opinion
        self.crops: list[ByteArray] = []

    def scores(self, crops: ByteArray) -> FloatArray:
        self.crops += list(crops)
        return np.full(len(crops), self.opinion, np.float32)


def check(verifier: Any, image: ByteArray, box: tuple[float, float, float, float]) -> bool:
    face = np.array(box, np.float32)
    return WeakDetectionCheck(verifier)(image, face, landmarks_in(face[None])[0])


def test_the_face_fills_the_middle_half_of_the_crop() -> None:
    image = np.zeros((90, 160, 3), np.uint8)
    image[40:60, 100:120] = 200
    verifier = Verifier(1.0)
    check(verifier, image, (100, 40, 120, 60))
    (crop,) = verifier.crops
    assert crop.shape == (200, 200, 3)
    assert crop[55:145, 55:145].min() == 200
    inner = crop.copy()
    inner[45:155, 45:155] = 0
    assert inner.max() == 0


@pytest.mark.parametrize(("opinion", "is_face"), [(MIN_QUICK_OPINION + 0.01, True), (MIN_QUICK_OPINION - 0.01, False)])
def test_the_opinion_decides(opinion: float, *, is_face: bool) -> None:
    assert check(Verifier(opinion), np.zeros((90, 160, 3), np.uint8), (100, 40, 120, 60)) == is_face
