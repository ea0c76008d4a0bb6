"""Histograms of colours whose bins are known."""

from __future__ import annotations

import numpy as np
import pytest

from utils.images.lab_histogram import CHROMA_BINS, HISTOGRAM_SIZE, LIGHTNESS_BINS, lab_histogram, mean_chroma


def test_a_colour_in_the_middle_of_a_bin_is_that_bin_alone() -> None:
    # The third of six bins of lightness, the middle ones of a and b.
    histogram = lab_histogram(np.array([[100 * 2.5 / LIGHTNESS_BINS, 0.0, 0.0]]))
    middle = CHROMA_BINS // 2
    assert histogram.shape == (HISTOGRAM_SIZE,)
    assert histogram[(2 * CHROMA_BINS + middle) * CHROMA_BINS + middle] == pytest.approx(1)


def test_a_colour_between_bins_is_shared_out() -> None:
    histogram = lab_histogram(np.array([[50.0, 0.0, 0.0]])).reshape(LIGHTNESS_BINS, -1).sum(1)
    assert histogram.tolist() == pytest.approx([0, 0, 0.5, 0.5, 0, 0])


def test_shares_add_up_to_one_whatever_the_colours() -> None:
    pixels = np.random.default_rng(1).uniform((-10, -200, -200), (120, 200, 200), (500, 3))
    histogram = lab_histogram(pixels)
    assert histogram.sum() == pytest.approx(1) and (histogram >= 0).all()


def test_chroma_is_the_distance_from_grey() -> None:
    colours = [(50.0, 0.0, 0.0), (3.0, 0.0, 0.0), (50.0, 16.0, 0.0), (50.0, 0.0, -16.0)]
    shares = np.stack([lab_histogram(np.array([colour])) for colour in colours])
    assert mean_chroma(shares).tolist() == pytest.approx([0, 0, 16, 16], abs=0.01)
    assert mean_chroma(np.zeros((1, HISTOGRAM_SIZE))).tolist() == [0]
