"""Images that another light explains, and images that it does not."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import FloatArray
from processors.shots.block_matching import mismatch
from processors.shots.tone_curve import is_change_of_light, with_tones


def image(seed: int) -> FloatArray:
    """(36, 64) float32: integral values from 0 to 255, a smooth course with blobs of 4 px."""
    blobs = np.random.default_rng(seed).integers(0, 256, (9, 16))
    return np.asarray(np.kron(blobs, np.ones((4, 4))), np.float32)


def is_light(old: FloatArray, new: FloatArray) -> bool:
    return is_change_of_light(old, new, mismatch(old, new))


def clipped(values: FloatArray, gain: float) -> FloatArray:
    return np.asarray(np.clip(np.round(values * gain), 0, 255), np.float32)


def test_tones_keep_their_order_and_equal_ones_stay_equal() -> None:
    one = np.array([[0, 10, 10], [200, 30, 255]], np.float32)
    other = np.array([[5, 4, 3], [2, 1, 0]], np.float32)
    assert with_tones(one, other).tolist() == [[0, 1.5, 1.5], [4, 3, 5]]


@pytest.mark.parametrize("gain", [3.0, 6.0])
def test_over_exposure_is_a_change_of_light_in_both_directions(gain: float) -> None:
    old, new = image(1), clipped(image(1), gain)
    assert mismatch(old, new) > 0.15
    assert is_light(old, new)
    assert is_light(new, old)


def test_another_image_is_no_change_of_light() -> None:
    assert not is_light(image(1), image(2))
    assert not is_light(image(1), clipped(image(2), 6.0))
    assert not is_light(clipped(image(1), 6.0), image(2))


def test_a_flat_image_says_nothing() -> None:
    assert not is_light(image(1), np.full((36, 64), 255, np.float32))
    assert not is_light(np.zeros((36, 64), np.float32), image(1))
