from __future__ import annotations

import cv2
import numpy as np
import pytest

from processors.known_people.sharpness import detail, sharpness
from tests.processors.known_people.photos import collins, hopper, random_image

SIZES = (320, 640, 1024)


def sized(pixels: np.ndarray, side: int) -> np.ndarray:
    scale = side / max(pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def moved(pixels: np.ndarray, length: int, degrees: float) -> np.ndarray:
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), degrees, 1)
    kernel = cv2.warpAffine(line, turn, (length, length))
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)


@pytest.fixture(params=[collins, hopper], ids=["collins", "hopper"])
def portrait(request: pytest.FixtureRequest) -> np.ndarray:
    return np.asarray(request.param(), np.uint8)


@pytest.mark.parametrize("side", [240, 400])
def test_sharp_photos_are_sharp_and_blurred_copies_are_not(portrait: np.ndarray, side: int) -> None:
    seen = sized(portrait, side)
    assert sharpness(seen) > 0.5
    for sigma in (2, 3, 5):
        assert sharpness(np.asarray(cv2.GaussianBlur(seen, (0, 0), sigma), np.uint8)) < 0.5
    for degrees in (0, 30, 45, 77, 90, 135):
        assert sharpness(moved(seen, 9, degrees)) < 0.5, degrees


def test_noise_is_not_detail(portrait: np.ndarray) -> None:
    blurred = cv2.GaussianBlur(sized(portrait, 400), (0, 0), 3).astype(np.float64)
    noisy = np.clip(blurred + np.random.default_rng(0).normal(0, 6, blurred.shape), 0, 255).astype(np.uint8)
    assert sharpness(noisy) < 0.5


def test_neither_contrast_nor_brightness_decides(portrait: np.ndarray) -> None:
    seen = sized(portrait, 400)
    assert detail((seen // 4 + 90).astype(np.uint8)) == pytest.approx(detail(seen), abs=0.3)


def test_a_face_in_focus_is_enough(portrait: np.ndarray) -> None:
    seen = sized(portrait, 400)
    box = np.array([seen.shape[1] * 0.25, seen.shape[0] * 0.2, seen.shape[1] * 0.75, seen.shape[0] * 0.7], np.float32)
    soft = np.asarray(cv2.GaussianBlur(seen, (0, 0), 4), np.uint8)
    x1, y1, x2, y2 = box.astype(int)
    focused = soft.copy()
    focused[y1:y2, x1:x2] = seen[y1:y2, x1:x2]
    missed = seen.copy()
    missed[y1 - 30 : y2 + 30, x1 - 30 : x2 + 30] = soft[y1 - 30 : y2 + 30, x1 - 30 : x2 + 30]
    assert sharpness(focused, [box]) > 0.5 > sharpness(missed, [box])


def test_nothing_to_see() -> None:
    assert sharpness(np.full((200, 300, 3), 128, np.uint8)) == 0.0
    assert sharpness(np.zeros((8, 8, 3), np.uint8)) == 0.0
    assert 0 <= sharpness(random_image()) < 0.5  # smooth colours have no edge
