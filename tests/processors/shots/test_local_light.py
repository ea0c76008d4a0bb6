"""Light on a part of an image, and other images."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import FloatArray
from processors.shots.block_matching import mismatch
from processors.shots.local_light import is_local_light, local_contrast
from processors.shots.tone_curve import is_change_of_light


def image(seed: int) -> FloatArray:
    """(36, 64) float32: integral values from 60 to 100, blobs of 4 px."""
    blobs = np.random.default_rng(seed).integers(60, 100, (9, 16))
    return np.asarray(np.kron(blobs, np.ones((4, 4))), np.float32)


def spot(grey: FloatArray, gain: float) -> FloatArray:
    """A spot of light left of the middle, which clips where it is brightest."""
    ys, xs = np.mgrid[:36, :64]
    light = 1 + gain * np.exp(-((xs - 24) ** 2 + (ys - 18) ** 2) / 100)
    return np.asarray(np.clip(np.round(grey * light), 0, 255), np.float32)


def is_light(old: FloatArray, new: FloatArray) -> bool:
    return is_local_light(old, new, mismatch(old, new))


@pytest.mark.parametrize("gain", [2.0, 4.0])
def test_a_spot_is_a_change_of_light_in_both_directions(gain: float) -> None:
    old, new = image(1), spot(image(1), gain)
    assert not is_change_of_light(old, new, mismatch(old, new))
    assert is_light(old, new)
    assert is_light(new, old)


def test_another_image_is_no_change_of_light() -> None:
    assert not is_light(image(1), image(2))
    assert not is_light(image(1), spot(image(2), 4.0))


def test_blurred_images_say_nothing() -> None:
    xs = np.linspace(20, 200, 64, dtype=np.float32)
    one = np.round(np.broadcast_to(xs, (36, 64)) * np.ones((36, 1), np.float32)).astype(np.float32)
    assert not is_light(one, one[:, ::-1].copy())


def test_local_contrast_is_the_same_in_half_the_light() -> None:
    grey = image(1) + 100
    assert np.abs(local_contrast(grey) - local_contrast(2 * grey)).max() < 3
