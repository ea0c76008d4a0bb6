"""Against scipy's solution of the same problem."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from utils.assignment import best_pairs


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 40])
@pytest.mark.parametrize("columns", [1, 2, 5, 8, 30])
def test_is_the_best_assignment(rows: int, columns: int) -> None:
    gain = np.random.default_rng(100 * rows + columns).random((rows, columns)).astype(np.float32)
    expected = list(zip(*(side.tolist() for side in linear_sum_assignment(-gain)), strict=True))
    assert best_pairs(gain) == expected


@pytest.mark.parametrize("seed", range(30))
def test_overlaps_of_boxes_are_mostly_zero(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gain = rng.random((7, 9)) * (rng.random((7, 9)) < 0.2)
    expected = list(zip(*linear_sum_assignment(-gain), strict=True))
    found = best_pairs(gain)
    assert len(found) == len({row for row, _ in found}) == len({column for _, column in found}) == 7
    # Which pairs of no gain fill up the rest is all one.
    assert {pair for pair in found if gain[pair] > 0} == {pair for pair in expected if gain[pair] > 0}


def test_the_best_sum_may_leave_out_the_best_pair() -> None:
    assert best_pairs(np.array([[0.9, 0.8], [0.8, 0.1]])) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nothing_has_no_pairs(shape: tuple[int, int]) -> None:
    assert best_pairs(np.zeros(shape)) == []
