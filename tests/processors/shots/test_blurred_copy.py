"""Pictures in front of a blurred, enlarged copy of themselves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.types import ByteArray, PixelBox
from processors.shots.blurred_copy import common_picture, inside, sharp_picture
from processors.shots.panel_seams import line_shares

WIDTH, HEIGHT = 640, 360
SHARP = (220, 0, 420, 360)


def scene(seed: int, width: int, height: int) -> ByteArray:
    """Soft blobs with fine detail on them."""
    random = np.random.default_rng(seed)
    blobs = cv2.resize(random.integers(40, 200, (6, 6)).astype(np.float32), (width, height))
    fine = cv2.resize(random.normal(0, 25, (height // 3, width // 3)).astype(np.float32), (width, height))
    return np.asarray(np.clip(blobs + fine, 0, 255), np.uint8)


def enlarged(picture: ByteArray, zoom: float = 1.0) -> ByteArray:
    """The middle of a picture, so large that it covers the frame, and blurred."""
    scale = zoom * max(WIDTH / picture.shape[1], HEIGHT / picture.shape[0])
    large = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.uint8)
    x, y = (large.shape[1] - WIDTH) // 2, (large.shape[0] - HEIGHT) // 2
    return np.asarray(cv2.GaussianBlur(large[y : y + HEIGHT, x : x + WIDTH], (0, 0), 12), np.uint8)


def in_front(picture: ByteArray, surroundings: ByteArray) -> ByteArray:
    return np.hstack([surroundings[:, :220], picture, surroundings[:, 420:]])


def found(frame: ByteArray) -> PixelBox | None:
    return sharp_picture(frame, line_shares(frame, (0, 0, frame.shape[1], frame.shape[0])))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("zoom", [1.0, 1.4])
def test_a_picture_before_its_copy_is_found_to_the_pixel(seed: int, zoom: float) -> None:
    picture = scene(seed, 200, HEIGHT)
    frame = in_front(picture, enlarged(picture, zoom))
    assert found(frame) == SHARP
    assert found(np.ascontiguousarray(frame.T)) == (0, 220, 360, 420)


def test_a_darker_copy_counts_and_so_does_one_with_a_caption() -> None:
    picture = scene(1, 200, HEIGHT)
    frame = in_front(picture, enlarged(picture) // 2)
    cv2.putText(frame, "Wait for it", (10, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 255, 3)
    assert found(frame) == SHARP


def test_a_copy_that_is_stretched_to_the_frame_counts() -> None:
    picture = scene(2, 200, HEIGHT)
    stretched = cv2.GaussianBlur(cv2.resize(picture, (WIDTH, HEIGHT)), (0, 0), 12)
    assert found(in_front(picture, np.asarray(stretched, np.uint8))) == SHARP


def test_other_surroundings_belong_to_the_picture() -> None:
    picture = scene(1, 200, HEIGHT)
    sharp, other = scene(5, WIDTH, HEIGHT), enlarged(scene(6, 200, HEIGHT))
    two_tones = np.full((HEIGHT, WIDTH), 40, np.uint8)
    two_tones[:, WIDTH // 2 :] = 220
    for surroundings in (sharp, other, two_tones):
        assert found(in_front(picture, surroundings)) is None


def test_a_blurred_background_without_lines_belongs_to_the_picture() -> None:
    """As behind a portrait: the sharp middle ends gradually."""
    picture = scene(1, 200, HEIGHT)
    copy = enlarged(picture)
    share = np.clip((np.arange(WIDTH) - 220) / 40, 0, 1) * np.clip((420 - np.arange(WIDTH)) / 40, 0, 1)
    frame = share * in_front(picture, copy) + (1 - share) * copy
    assert found(np.asarray(frame, np.uint8)) is None


def test_ordinary_and_tiny_images_have_no_copy() -> None:
    assert found(scene(3, WIDTH, HEIGHT)) is None
    assert found(np.zeros((HEIGHT, WIDTH), np.uint8)) is None
    assert found(scene(3, 16, 12)) is None


def test_half_of_at_least_two_frames_must_agree() -> None:
    near, far = (222, 0, 419, 360), (100, 0, 540, 360)
    assert common_picture([SHARP, near, None, None]) == (222, 0, 419, 360)
    assert common_picture([SHARP, far, None, None, None]) is None
    assert common_picture([SHARP]) is None and common_picture([]) is None


def test_one_frame_suffices_where_another_shot_has_the_same_picture() -> None:
    assert common_picture([None, SHARP, None], [SHARP]) == SHARP
    assert common_picture([None, None], [SHARP]) is None


def test_the_active_picture_ends_on_even_pixels_within_the_lines() -> None:
    assert inside((221, 0, 420, 360), (0, 0, WIDTH, HEIGHT)) == (222, 0, 418, 360)
    assert inside((0, 100, 640, 261), (20, 0, 620, 360)) == (20, 102, 620, 260)
