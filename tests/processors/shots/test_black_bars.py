"""Black bars around images."""

from __future__ import annotations

import numpy as np
import pytest

from processors.shots.black_bars import NO_BARS, black_bars, common_bars


def image(top: int = 0, bottom: int = 0, left: int = 0, right: int = 0, black: int = 16) -> np.ndarray:
    rng = np.random.default_rng(0)
    pixels = np.full((72, 128, 3), black, np.uint8)
    pixels += rng.integers(0, 3, pixels.shape, np.uint8)  # coding noise
    inner = pixels[top : 72 - bottom, left : 128 - right]
    inner[:] = rng.integers(40, 255, inner.shape, np.uint8)
    return pixels


@pytest.mark.parametrize(
    "bars", [(0, 0, 0, 0), (8, 10, 0, 0), (0, 0, 40, 38), (4, 6, 8, 10), (0, 6, 0, 0), (0, 0, 0, 10)]
)
@pytest.mark.parametrize("black", [0, 16])
def test_bars_are_as_thick_as_they_are(bars: tuple[int, int, int, int], black: int) -> None:
    assert black_bars(image(*bars, black=black)) == bars


def test_an_odd_row_is_left_to_the_image() -> None:
    assert black_bars(image(7, 0, 0, 3)) == (6, 0, 0, 2)


def test_of_a_black_image_nobody_can_tell() -> None:
    assert black_bars(np.full((72, 128, 3), 16, np.uint8)) is None


def test_half_a_dark_image_is_not_a_bar() -> None:
    assert black_bars(image(40, 8)) == (0, 8, 0, 0)


def test_a_coloured_edge_is_not_a_bar() -> None:
    pixels = image(10)
    pixels[:10] = (0, 0, 60)
    assert black_bars(pixels) == NO_BARS


def test_what_all_have_in_common() -> None:
    assert common_bars([(8, 8, 0, 4), None, (6, 10, 2, 4)]) == (6, 8, 0, 4)
    assert common_bars([None]) == common_bars([]) == NO_BARS
