"""How much noise an image has, and what smoothing leaves of it."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import ByteArray
from utils.images.noise import NOISY, is_noisy, noise_level, smoothed


def with_noise(image: ByteArray, sigma: float) -> ByteArray:
    """`image` (h, w, 3) with the same noise in all channels."""
    noise = np.random.default_rng(0).normal(0, sigma, image.shape[:2])
    return np.clip(np.rint(image + noise[..., None]), 0, 255).astype(np.uint8)


def scene() -> ByteArray:
    """(240, 320, 3) a slope with an upright, a level and a round edge."""
    y, x = np.mgrid[:240, :320]
    grey = 60 + 0.3 * x + 40 * (x > 100) + 30 * (y > 90) + 25 * (np.hypot(x - 220, y - 120) < 60)
    return np.repeat(grey[..., None], 3, 2).astype(np.uint8)


@pytest.mark.parametrize("sigma", [3, 8, 16])
def test_the_level_is_the_standard_deviation_whatever_the_image_shows(sigma: float) -> None:
    assert noise_level(with_noise(scene(), sigma)[..., 1]) == pytest.approx(sigma, rel=0.1)


def test_an_image_without_noise_has_none() -> None:
    assert noise_level(scene()[..., 1]) < 1
    assert noise_level(np.zeros((2, 640), np.uint8)) == 0.0


def test_smoothing_takes_most_of_the_noise_and_keeps_the_image() -> None:
    noisy = with_noise(scene(), 2 * NOISY)
    assert is_noisy(noisy) and not is_noisy(smoothed(noisy)) and not is_noisy(with_noise(scene(), NOISY / 2))
    error = [float(np.std(image.astype(float) - scene())) for image in (noisy, smoothed(noisy))]
    assert error[1] < 0.6 * error[0]
