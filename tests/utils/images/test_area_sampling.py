"""Area averages, compared with explicit sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from utils.images.area_sampling import BEYOND, LARGE_SHARE, AreaSampler, few_squares


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.RandomState(seed).randint(0, 256, (height, width, 3), np.uint8)


def pooled(region: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float64]:
    """Adaptive average pooling, cell by cell."""
    out = np.empty((height, width, 3))
    for i in range(height):
        top, bottom = i * region.shape[0] // height, math.ceil((i + 1) * region.shape[0] / height)
        for j in range(width):
            left, right = j * region.shape[1] // width, math.ceil((j + 1) * region.shape[1] / width)
            out[i, j] = region[top:bottom, left:right].mean((0, 1))
    return out


@pytest.mark.parametrize("size", [(1, 1), (7, 11), (24, 48), (60, 80), (90, 100)])
def test_the_whole_image_is_pooled(size: tuple[int, int]) -> None:
    image = noise(60, 80)
    resized = AreaSampler(image).resized(*size)
    assert resized.dtype == np.float32 and resized.shape == (*size, 3)
    assert np.allclose(resized, pooled(image, *size), atol=1e-3)


def test_the_same_size_gives_the_same_pixels() -> None:
    image = noise(33, 41)
    assert np.array_equal(AreaSampler(image).resized(33, 41), image)


@pytest.mark.parametrize(
    "box",
    [
        (10.0, 12.0, 40.0, 42.0),
        (10.9, 12.9, 40.9, 42.9),  # corners are truncated, not rounded
        (-9.5, -3.2, 20.1, 26.0),  # over the upper left corner
        (60.0, 40.0, 95.0, 75.0),  # over the lower right corner
        (20.0, 20.0, 25.0, 25.0),  # enlarged
        (0.0, 0.0, 80.0, 60.0),
    ],
)
@pytest.mark.parametrize("side", [24, 48])
def test_squares_are_those_that_facenet_pytorch_crops(box: tuple[float, float, float, float], side: int) -> None:
    image = noise(60, 80, 1)
    x1, y1, x2, y2 = (int(v) for v in box)
    region = image[max(y1, 1) - 1 : min(y2, 60), max(x1, 1) - 1 : min(x2, 80)]
    (square,) = AreaSampler(image).squares(np.array([box], np.float32), side)
    assert np.allclose(square, pooled(region, side, side), atol=1e-3)


def test_many_squares_are_the_same_as_each_alone() -> None:
    """Also where there are more of them than one call of OpenCV takes."""
    random = np.random.RandomState(2)
    sampler = AreaSampler(noise(60, 80))
    corner, size = random.uniform(-10, 60, (700, 2)), random.uniform(3, 40, (700, 1))
    boxes = np.concatenate([corner, corner + size], 1).astype(np.float32)
    together = sampler.squares(boxes, 24)
    assert together.shape == (700, 24, 24, 3)
    for row in (0, 1, 311, 624, 625, 626, 699):
        assert np.array_equal(together[row], sampler.squares(boxes[row : row + 1], 24)[0])


@pytest.mark.parametrize("box", [(-50, -50, -20, -20), (200, 200, 230, 230), (30, 30, 30, 30), (40, 40, 20, 20)])
def test_a_box_without_pixels_still_gives_a_square(box: tuple[float, ...]) -> None:
    square = AreaSampler(noise(60, 80)).squares(np.array([box], np.float32), 24)
    assert square.shape == (1, 24, 24, 3) and np.isfinite(square).all()
    assert square.min() >= 0 and square.max() <= 255


def test_sums_of_a_large_bright_image_do_not_overflow() -> None:
    white = np.full((2400, 4200, 3), 255, np.uint8)  # its sum is above 2**31
    sampler = AreaSampler(white)
    assert (sampler.resized(20, 20) == 255).all()
    assert (sampler.squares(np.array([[4100, 2300, 4190, 2390]], np.float32), 24) == 255).all()


def test_a_box_that_is_larger_than_the_image_keeps_its_proportions() -> None:
    """Columns 20 to 39 of 80 are white; the square reaches 60 px beyond each side and 70 beyond top and bottom."""
    image = np.zeros((60, 80, 3), np.uint8)
    image[:, 20:40] = 255
    (crop,) = few_squares(image, np.array([[-59, -69, 140, 130]], np.float32), 40)
    beyond = (crop == BEYOND).all(2)
    assert not beyond[14:26, 12:28].any()
    beyond[14:26, 12:28] = True
    assert beyond.all(), "grey around the image, which is 16 px of 40 wide and 12 high"
    assert (crop[14:26, 16:20] == 255).all() and (crop[14:26, 12:16] == 0).all()


def test_a_small_box_across_the_edge_is_stretched_as_in_the_search() -> None:
    image = noise(60, 80)
    side = LARGE_SHARE * 60 - 2
    box = np.array([[-10, 20, -10 + side, 20 + side]], np.float32)
    (crop,) = few_squares(image, box, 24)
    assert not (crop == BEYOND).any()
    assert np.abs(crop - AreaSampler(image).squares(box, 24)[0]).mean() < 20


@pytest.mark.parametrize("box", [(-300, -300, -20, -20), (200, 200, 400, 400), (-1000, 10, 2000, 3010)])
def test_a_large_box_that_shows_next_to_nothing_still_gives_a_square(box: tuple[float, ...]) -> None:
    square = few_squares(noise(60, 80), np.array([box], np.float32), 24)
    assert square.shape == (1, 24, 24, 3) and (square != BEYOND).any()


def test_a_large_box_within_the_image_is_cropped_as_ever() -> None:
    image = noise(60, 80)
    (crop,) = few_squares(image, np.array([[5, 1, 52, 48]], np.float32), 24)
    assert np.abs(crop - AreaSampler(image).squares(np.array([[5, 1, 52, 48]], np.float32), 24)[0]).max() < 1
