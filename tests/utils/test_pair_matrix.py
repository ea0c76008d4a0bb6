"""Symmetric matrices in half the memory, against the whole ones."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from utils.pair_matrix import BLOCK_ITEMS, PairMatrix, item_blocks

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
    assert np.array_equal(matrix.rows(np.arange(size)), whole)
    assert np.array_equal(matrix.rows(items[::-1]), whole[items[::-1]])
    assert np.array_equal(matrix.square(items), whole[np.ix_(items, items)])
    assert matrix.square(items[:0]).shape == (0, 0)


def test_blocks_are_asked_for_once_and_their_lower_part_counts() -> None:
    size = 2 * BLOCK_ITEMS + 3
    asked = []

    def block(rows: slice, columns: slice) -> np.ndarray:
        asked.append((rows.start, columns.start))
        values = np.arange(rows.start, rows.stop)[:, None] - np.arange(columns.start, columns.stop)
        return values.astype(np.float32)

    whole = PairMatrix(size, block).rows(np.arange(size))
    places = [blocks.start for blocks in item_blocks(size)]
    assert asked == [(a, b) for a in places for b in places if b <= a]
    assert np.array_equal(whole, abs(np.arange(size)[:, None] - np.arange(size)))


def test_a_square_is_a_copy() -> None:
    matrix = PairMatrix.of(symmetric(5))
    matrix.square(np.arange(5))[:] = 9
    assert np.array_equal(matrix.rows(np.arange(5)), symmetric(5))


def test_every_pair_is_held_once() -> None:
    size, block = 12 * BLOCK_ITEMS, np.zeros((BLOCK_ITEMS, BLOCK_ITEMS), np.float32)
    tracemalloc.start()
    matrix = PairMatrix(size, lambda rows, columns: block)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(matrix) == size and held < 1.1 * 2 * size**2
