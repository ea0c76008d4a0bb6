"""Where the picture of a frame begins behind black bars."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.types import ByteArray
from processors.shots.bar_edges import BarEdges, find_bar_edges


def luma(
    top: int = 0,
    bottom: int = 0,
    left: int = 0,
    right: int = 0,
    *,
    black: int = 16,
    noise: float = 0.0,
    gain: float = 1.0,
) -> ByteArray:
    """(360, 640): a landscape of soft blobs between black bars, with coding noise all over."""
    random = np.random.default_rng(5)
    coarse = random.integers(60, 220, (9, 16)).astype(np.uint8)
    picture = cv2.resize(coarse, (640, 360), interpolation=cv2.INTER_CUBIC).astype(float) * gain
    image = np.full((360, 640), float(black))
    image[top : 360 - bottom, left : 640 - right] = np.maximum(picture, black)[top : 360 - bottom, left : 640 - right]
    return np.clip(image + random.normal(0, noise, image.shape), 0, 255).astype(np.uint8)


def edges(image: ByteArray) -> BarEdges:
    found = find_bar_edges(image)
    assert found is not None
    return found


@pytest.mark.parametrize("bars", [(0, 0, 0, 0), (44, 44, 0, 0), (0, 0, 119, 119), (31, 52, 8, 3), (2, 0, 0, 0)])
@pytest.mark.parametrize("black", [0, 16, 24])
@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_bars_are_measured_to_the_pixel(bars: tuple[int, int, int, int], black: int, noise: float) -> None:
    found = edges(luma(*bars, black=black, noise=noise))
    assert found.black == bars
    assert min(found.straight) > 0.9


def test_the_line_of_a_compressed_letterbox_is_found_within_a_pixel() -> None:
    image = luma(60, 60)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])
    assert done
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    assert np.abs(np.subtract(edges(decoded).black, (60, 60, 0, 0))).max() <= 1


def test_bright_things_in_the_dark_are_no_straight_line() -> None:
    image = np.full((360, 640), 17, np.uint8)
    for x, y, radius in ((150, 200, 60), (420, 170, 80), (300, 300, 50)):
        cv2.circle(image, (x, y), radius, 140, -1)
    found = edges(image)
    assert 90 <= found.black[0] <= 98
    assert max(found.straight) < 0.3


def test_a_logo_in_the_bar_does_not_end_it() -> None:
    image = luma(60, 60)
    image[20:40, 600:620] = 200
    assert edges(image).black == (60, 60, 0, 0)


def test_of_a_black_frame_nobody_can_tell() -> None:
    assert find_bar_edges(np.full((360, 640), 16, np.uint8)) is None
    assert find_bar_edges(luma(noise=2.0, gain=0.0)) is None


def test_edges_that_are_dark_but_not_flat_are_not_bars() -> None:
    image = luma()
    image[:40] = np.tile(np.linspace(12, 30, 640), (40, 1)).astype(np.uint8)
    assert edges(image).black[0] == 0


def test_a_coloured_or_grey_border_is_not_a_black_bar() -> None:
    assert edges(luma(40, 40, black=60)).black == (0, 0, 0, 0)


def test_bars_from_decoding_are_known_and_others_are_looked_for_within() -> None:
    image = luma(30, 30, 218, 220)
    found = find_bar_edges(image, (218, 0, 420, 360))
    assert found == BarEdges((30, 30, 218, 220), (1.0, 1.0, 1.0, 1.0), (0, 0, 218, 220))


@pytest.mark.parametrize("shape", [(16, 16), (17, 33), (16, 4096)])
def test_any_size_will_do(shape: tuple[int, int]) -> None:
    assert find_bar_edges(np.full(shape, 120, np.uint8)) == BarEdges((0, 0, 0, 0), (1.0, 1.0, 1.0, 1.0))
