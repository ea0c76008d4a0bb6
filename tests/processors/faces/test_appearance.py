"""Sharpness of a face, and whether it looks alike in two frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.types import ByteArray, FloatArray
from processors.faces.appearance import appearance, sharpness
from tests.material.scripted_faces import landmarks_in

BOX = np.array([150, 80, 250, 200], np.float32)


def smooth_noise(seed: int = 0) -> ByteArray:
    noise = np.random.RandomState(seed).randint(0, 256, (300, 400, 3), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)


IMAGE = smooth_noise()


def patches(seed: int = 0) -> ByteArray:
    """Soft patches of the size of eyes and mouth."""
    coarse = np.random.RandomState(seed).randint(20, 236, (20, 27, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (400, 300), interpolation=cv2.INTER_CUBIC), np.uint8)


def look(image: ByteArray, box: FloatArray = BOX) -> FloatArray:
    return appearance(image, landmarks_in(box[None])[0]).look


def test_a_face_in_focus_is_sharper_than_one_out_of_focus() -> None:
    landmarks = landmarks_in(BOX[None])[0]
    values = [sharpness(np.asarray(cv2.GaussianBlur(IMAGE, (0, 0), s), np.uint8), landmarks) for s in (0.5, 2, 5)]
    assert values[0] > 1.5 * values[1] > 1.5 * values[2] > 0
    assert appearance(IMAGE, landmarks).sharpness == sharpness(IMAGE, landmarks)


def test_sharpness_does_not_grow_with_contrast_that_was_raised() -> None:
    landmarks = landmarks_in(BOX[None])[0]
    dim = np.random.RandomState(1).randint(0, 51, IMAGE.shape, np.uint8)
    raised = appearance(5 * dim, landmarks, gain=5)
    assert raised.sharpness == pytest.approx(sharpness(dim, landmarks), rel=0.05)


def test_sharpness_does_not_grow_with_the_image() -> None:
    small = sharpness(IMAGE, landmarks_in(BOX[None])[0])
    doubled = np.asarray(cv2.resize(IMAGE, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    assert sharpness(doubled, landmarks_in(2 * BOX[None])[0]) == pytest.approx(small, rel=0.5)


def test_a_face_looks_alike_in_another_light_size_and_place() -> None:
    face = patches()
    here = look(face)
    darker = np.asarray(cv2.convertScaleAbs(face, alpha=0.5, beta=30), np.uint8)
    larger = np.asarray(cv2.resize(face, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    assert here.shape == (576,) and here.dtype == np.float32
    assert float(here @ look(darker)) > 0.85
    assert float(here @ look(larger, 2 * BOX)) > 0.85


def test_another_face_does_not() -> None:
    assert abs(float(look(patches(0)) @ look(patches(1)))) < 0.3


def test_a_face_without_contrast_looks_like_none() -> None:
    grey = np.full_like(IMAGE, 90)
    assert float(look(grey) @ look(grey)) == pytest.approx(0, abs=0.01)
