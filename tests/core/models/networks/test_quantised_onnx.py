"""Weights that are bytes in blocks."""

from __future__ import annotations

import numpy as np
import pytest

from core.models.networks.quantised_onnx import dequantized


def test_every_block_has_its_own_scale_and_zero_point() -> None:
    values = np.array([[0, 2, 4, 6, 8], [1, 1, 1, 1, 1]], np.int8)
    scales = np.array([[1, 2, 3], [0.5, 1, 1]], np.float32)
    zeros = np.array([[0, 4, 8], [0, -1, 1]], np.int8)
    expected = [[0, 2, 0, 4, 0], [0.5, 0.5, 2, 2, 0]]
    assert dequantized(values, scales, zeros, axis=1, block=2) == pytest.approx(np.array(expected, np.float32))
    column = dequantized(values.T.copy(), scales.T.copy(), zeros.T.copy(), axis=0, block=2)
    assert column == pytest.approx(np.array(expected, np.float32).T)


def test_the_last_block_may_be_short() -> None:
    values = np.array([1, 2, 3], np.int8)
    found = dequantized(values, np.array([10, 100], np.float32), np.array([0, 1], np.int8), axis=0, block=2)
    assert found.dtype == np.float32 and found.tolist() == [10, 20, 200]
