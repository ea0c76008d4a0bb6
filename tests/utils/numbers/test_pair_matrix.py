"""Similarities in two bytes per pair, against whole matrices."""

from __future__ import annotations

import numpy as np
import pytest

from tests.material.allocated_memory import allocated_memory
from utils.numbers.pair_matrix import BLOCK_ITEMS, PairMatrix, item_blocks

PRECISION = 1.3e-5
"""a little more than half of the largest step between two stored similarities"""
SIZES = [0, 1, BLOCK_ITEMS - 1, BLOCK_ITEMS, BLOCK_ITEMS + 1, 3 * BLOCK_ITEMS + 7]


def symmetric(size: int) -> np.ndarray:
    values = np.random.default_rng(size).random((size, size), np.float32)
    return np.asarray(np.maximum(values, values.T))


@pytest.mark.parametrize("size", SIZES)
def test_rows_and_squares_are_those_of_the_whole_matrix(size: int) -> None:
    whole = symmetric(size)
    matrix = PairMatrix.of(whole)
    items = np.sort(np.random.default_rng(1).permutation(size)[: size // 2])
    assert len(matrix) == size
    rows = matrix.rows(np.arange(size))
    assert rows == pytest.approx(whole, abs=PRECISION)
    assert np.array_equal(rows, rows.T)
    assert np.array_equal(matrix.rows(items[::-1]), rows[items[::-1]])
    assert np.array_equal(matrix.square(items), rows[np.ix_(items, items)])
    assert matrix.square(items[:0]).shape == (0, 0)


def test_even_odds_and_certainty_are_kept_and_what_is_nearly_certain_differs() -> None:
    values = np.array([0, 1e-9, 1e-6, 2e-6, 1e-3, 0.5, 0.999, 0.999998, 0.999999, 1], np.float32)
    matrix = np.broadcast_to(values[:, None], (10, 10))
    kept = PairMatrix.of(matrix).rows(np.arange(10))[:, 0]
    assert kept[0] == 0 and kept[5] == 0.5 and kept[9] == 1
    assert np.all(np.diff(kept) >= 0) and np.all(np.diff(kept[1:9]) > 0)
    assert abs(kept - values)[[2, 3, 7, 8]].max() < 1e-7 and abs(kept - values).max() < 1e-6


def test_order_is_kept() -> None:
    values = np.sort(np.random.default_rng(0).random(500, np.float32))
    kept = PairMatrix.of(np.broadcast_to(values[:, None], (500, 500))).rows(np.arange(500))[:, 0]
    assert np.all(np.diff(kept) >= 0)


def test_blocks_are_asked_for_once_and_their_lower_part_counts() -> None:
    size = 2 * BLOCK_ITEMS + 3
    asked = []

    def block(rows: slice, columns: slice) -> np.ndarray:
        asked.append((rows.start, columns.start))
        values = np.arange(rows.start, rows.stop)[:, None] - np.arange(columns.start, columns.stop)
        return (values / size).astype(np.float32)

    whole = PairMatrix(size, block).rows(np.arange(size))
    places = [blocks.start for blocks in item_blocks(size)]
    assert asked == [(a, b) for a in places for b in places if b <= a]
    assert whole == pytest.approx(abs(np.arange(size)[:, None] - np.arange(size)) / size, abs=PRECISION)


def test_a_square_is_a_copy() -> None:
    matrix = PairMatrix.of(np.ones((5, 5)))
    matrix.square(np.arange(5))[:] = 0
    assert matrix.rows(np.arange(5)).all()


def test_a_pair_takes_two_bytes() -> None:
    size, block = 12 * BLOCK_ITEMS, np.zeros((BLOCK_ITEMS, BLOCK_ITEMS), np.float32)
    memory = allocated_memory(lambda: PairMatrix(size, lambda rows, columns: block))
    assert memory.held < 1.15 * 2 * size * (size - 1) / 2
