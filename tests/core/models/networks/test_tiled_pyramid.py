"""How the sizes of an image are laid out for MMOD."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from core.models.networks.tiled_pyramid import BORDER_PX, GAP_PX, Tile, tiled_pyramid


def test_tiles_of_an_image_too_narrow_for_two_columns_lie_below_each_other() -> None:
    layout = tiled_pyramid(12, 36)
    assert [(t.height, t.width) for t in layout.tiles] == [(12, 36), (10, 30), (8, 25), (6, 20), (5, 16)]
    assert [t.top for t in layout.tiles] == [11, 33, 53, 71, 87]
    assert all(t.left == BORDER_PX for t in layout.tiles)
    assert (layout.height, layout.width) == (87 + 5 + BORDER_PX, 36 + 2 * BORDER_PX)


@pytest.mark.parametrize("size", [(200, 200), (60, 90), (300, 40), (5, 5), (1, 1)])
def test_tiles_shrink_and_keep_apart(size: tuple[int, int]) -> None:
    layout = tiled_pyramid(*size)
    first = layout.tiles[0]
    assert first == Tile(BORDER_PX, BORDER_PX, *size)
    for large, small in pairwise(layout.tiles):
        assert (small.height, small.width) == (large.height * 5 // 6, large.width * 5 // 6)
    covered = np.zeros((layout.height, layout.width), np.int64)
    for tile in layout.tiles:
        covered[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] += 1
    assert covered.max() == 1 and covered.sum() == sum(t.height * t.width for t in layout.tiles)
    inner = covered[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX]
    assert inner.sum() == covered.sum() and inner[0].any() and inner[-1].any()
    left = [t for t in layout.tiles if t.left == BORDER_PX]
    assert all(b.top == a.top + a.height + GAP_PX for a, b in pairwise(left))


def test_the_second_column_ends_with_the_first_and_goes_up() -> None:
    layout = tiled_pyramid(200, 200)
    left = [t for t in layout.tiles if t.left == BORDER_PX]
    right = list(layout.tiles[len(left) :])
    assert (len(left), len(right)) == (5, 14)
    assert right[0].top + right[0].height == left[-1].top + left[-1].height == layout.height - BORDER_PX
    assert all(t.left + t.width == layout.width - BORDER_PX for t in right)
    assert all(upper.top + upper.height + GAP_PX == lower.top for lower, upper in pairwise(right))
    assert all(
        a.left + a.width <= b.left or b.top + b.height <= a.top or a.top + a.height <= b.top
        for a, b in combinations(layout.tiles, 2)
    )
