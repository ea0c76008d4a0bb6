"""Strong shrinking: means of a few pixels of each cell."""

from __future__ import annotations

import numpy as np
import pytest

from utils.images.image_shrinking import shrunk


def test_cells_with_few_pixels_are_their_means() -> None:
    image = np.random.default_rng(3).integers(0, 256, (12, 20, 3), np.uint8)
    means = image.reshape(3, 4, 5, 4, 3).mean((1, 3))
    assert np.abs(shrunk(image, 5, 3, 4).astype(float) - means).max() <= 0.5


def test_of_larger_cells_some_pixels_are_read() -> None:
    """Columns that are darker by turns: half of those that are read are dark."""
    image = np.zeros((300, 400, 3), np.uint8)
    image[:, (np.arange(400) // 7) % 2 == 0] = 200
    small = shrunk(image, 4, 3, 8)
    assert small.shape == (3, 4, 3)
    assert small.mean() == pytest.approx(100, abs=8)


def test_colours_and_places_are_kept() -> None:
    image = np.zeros((90, 160, 3), np.uint8)
    image[:45, :80], image[45:, 80:] = (250, 10, 20), (30, 40, 240)
    small = shrunk(image, 2, 2, 3)
    assert small.tolist() == [[[250, 10, 20], [0, 0, 0]], [[0, 0, 0], [30, 40, 240]]]


def test_a_part_of_an_image_and_one_smaller_than_the_result() -> None:
    image = np.random.default_rng(4).integers(0, 256, (40, 40, 3), np.uint8)
    part = image[3:30, 5:35]
    assert np.array_equal(shrunk(part, 3, 3, 2), shrunk(part.copy(), 3, 3, 2))
    assert shrunk(image[:1, :2], 4, 4, 8).shape == (4, 4, 3)
