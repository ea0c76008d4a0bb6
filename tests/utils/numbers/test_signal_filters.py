"""The same as scipy's."""

import numpy as np
import pytest
from scipy import ndimage

from utils.numbers.signal_filters import gaussian, median, rolling_max, rolling_min

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("count", [1, 2, 9, 40_000])
@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.7, 2.0, 12.5])
@pytest.mark.parametrize(("ends", "mode"), [("held", "nearest"), ("mirrored", "reflect")])
def test_gaussian_equals_scipys(count, sigma, ends, mode):
    values = RNG.normal(0, 100, (count, 3))
    expected = ndimage.gaussian_filter1d(values, sigma, axis=0, mode=mode) if sigma else values
    assert np.allclose(gaussian(values, sigma, ends=ends), expected, rtol=0, atol=1e-9)
    assert np.allclose(gaussian(values[:, 1], sigma, ends=ends), expected[:, 1], rtol=0, atol=1e-9)


@pytest.mark.parametrize(("count", "width"), [(1, 1), (3, 3), (7, 13), (500, 7)])
def test_median_equals_scipys(count, width):
    values = RNG.normal(0, 1, (count, 2))
    assert np.array_equal(median(values, width), ndimage.median_filter(values, (width, 1), mode="reflect"))


@pytest.mark.parametrize(("count", "width"), [(1, 1), (1, 5), (4, 9), (40_000, 3)])
def test_rolling_extremes_equal_scipys(count, width):
    values = RNG.normal(0, 1, count)
    assert np.array_equal(rolling_max(values, width), ndimage.maximum_filter1d(values, width, mode="nearest"))
    assert np.array_equal(rolling_min(values, width), ndimage.minimum_filter1d(values, width, mode="nearest"))
