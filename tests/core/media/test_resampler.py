"""Weights of scaled planes with known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.media.resampler import Resampler, resampling_weights


@pytest.mark.parametrize("averaged", [True, False])
@pytest.mark.parametrize(("source", "target"), [(1080, 360), (854, 128), (7, 7), (72, 100), (1, 5), (5, 1)])
def test_weights_of_one_result_add_up_to_one(source: int, target: int, averaged: bool) -> None:
    weights = resampling_weights(source, target, averaged=averaged)
    assert weights.shape == (target, source) and weights.dtype == np.float32
    assert weights.min() >= 0 and np.allclose(weights.sum(1), 1, atol=1e-6)


def test_averages_count_samples_by_the_part_that_is_covered() -> None:
    assert np.allclose(resampling_weights(4, 2, averaged=True), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    thirds = np.array([[2, 1, 0], [0, 1, 2]]) / 3
    assert np.allclose(resampling_weights(3, 2, averaged=True), thirds)


def test_without_averaging_two_neighbours_count() -> None:
    assert np.allclose(resampling_weights(4, 2, averaged=False), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    assert np.allclose(resampling_weights(6, 2, averaged=False), np.eye(6)[[1, 4]])
    enlarged = np.array([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    assert np.allclose(resampling_weights(2, 4, averaged=True), enlarged)


def test_planes_are_scaled_both_ways() -> None:
    planes = torch.from_numpy(np.arange(2 * 4 * 6, dtype=np.uint8).reshape(2, 4, 6))
    resample = Resampler(torch.device("cpu"))
    assert torch.equal(resample(planes, 6, 4, averaged=False), planes.to(torch.float32))
    half = resample(planes, 3, 2, averaged=True).numpy()
    assert np.allclose(half, planes.numpy().reshape(2, 2, 2, 3, 2).mean((2, 4)))
