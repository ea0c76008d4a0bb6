"""Dark and pale images get the whole range of tones; usual ones are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from utils.images.tone_stretch import (
    MAX_GAIN,
    NARROW_RANGE,
    TAIL,
    TINTED,
    darkened,
    is_narrow,
    is_tinted,
    stretched,
    tonal_range,
    untinted,
)

Image = NDArray[np.uint8]


def noise(seed: int = 0) -> Image:
    """(60, 80, 3): every level and colour."""
    return np.random.RandomState(seed).randint(0, 256, (60, 80, 3)).astype(np.uint8)


def test_the_range_leaves_out_hot_pixels_but_no_more() -> None:
    values = np.full((100, 100), 50, np.uint8)
    values[:50] = 20
    few = round(TAIL * values.size)
    values.flat[:few], values.flat[-few:] = 0, 255
    assert tonal_range(values) == (0, 50)
    values.flat[few : 2 * few], values.flat[-2 * few : -few] = 0, 255
    assert tonal_range(values) == (0, 255)
    assert tonal_range(values, tail=0.01) == (20, 50)


@pytest.mark.parametrize(("gain", "offset"), [(0.25, 0), (0.06, 3), (0.25, 185)])
def test_an_image_in_little_light_or_in_fog_is_as_before(gain: float, offset: int) -> None:
    image = noise()
    found, by = stretched(np.rint(gain * image + offset).astype(np.uint8))
    assert by * gain == pytest.approx(1, abs=0.3)
    # What rounding has taken does not come back; noise has more contrast between channels than grey levels.
    assert np.corrcoef(found.ravel(), image.ravel())[0, 1] > 0.98


def test_strong_colours_of_a_dark_image_stay_within_the_range() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, :20], image[:, 20:] = (120, 0, 0), (0, 60, 20)
    found, gain = stretched(image)
    assert gain == MAX_GAIN, "red and green of one grey level"
    red, green = found[0, 0].astype(int), found[0, -1].astype(int)
    assert red[0] - red[1] > 100 and green[1] - green[0] > 50
    assert found.dtype == np.uint8 and found.shape == image.shape


def test_an_image_of_one_colour_has_nothing_to_stretch() -> None:
    image = np.full((30, 40, 3), 90, np.uint8)
    found, _ = stretched(image)
    assert is_narrow(image) and np.ptp(found) == 0


def test_a_small_lit_face_in_the_dark_is_not_burnt_out() -> None:
    """It is a few thousandths of the image."""
    image = np.full((72, 128), 16, np.uint8)
    assert is_narrow(image)
    image[30:34, 60:64] = 16 + NARROW_RANGE
    assert not is_narrow(image)


def test_an_overexposed_image_is_darkened_to_the_detail_of_its_lowest_channel() -> None:
    image = np.full((20, 30, 3), 255, np.uint8)
    image[:10, :, 2], image[10:, :, 2] = 250, 230
    found = darkened(image)
    assert found.shape == image.shape and found.dtype == np.uint8
    assert (np.ptp(found, axis=2) == 0).all()
    assert found[0, 0, 0] == round(255 * (250 / 255) ** 6) and found[-1, 0, 0] == round(255 * (230 / 255) ** 6)
    assert darkened(np.full_like(image, 255)).min() == 255 and darkened(np.zeros_like(image)).max() == 0


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_an_image_that_lacks_one_primary_colour_is_tinted(channel: int) -> None:
    image = noise()
    assert not is_tinted(image)
    for share, expected in ((1.1 / TINTED, False), (0.9 / TINTED, True)):
        lit = image.copy()
        lit[..., channel] = (image[..., channel] * share).astype(np.uint8)
        assert is_tinted(lit) is expected


def test_an_object_in_its_colours_is_enough_and_black_has_none() -> None:
    green = np.zeros((60, 80, 3), np.uint8)
    green[..., 1] = 200
    assert is_tinted(green)
    green[:10, :20] = 180
    assert not is_tinted(green)
    assert not is_tinted(np.full((60, 80, 3), (0, 20, 0), np.uint8))


def test_without_its_tint_an_image_has_the_grey_levels_that_it_had() -> None:
    grey = np.repeat(noise()[..., :1], 3, axis=2)
    tinted = (grey * np.array([0.2, 1.0, 0.2])).astype(np.uint8)
    found, gain = untinted(tinted)
    assert np.array_equal(found, grey)
    assert gain == pytest.approx(1 / (0.587 + 0.2 * 0.413), rel=0.02)
