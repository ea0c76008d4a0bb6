"""An image at many sizes on one canvas, as dlib lays it out for its MMOD detector: one pass of the network sees all.

The layout is part of what the network computes: near the edge of a tile it sees the black gap and the next tile.
Reference: create_tiled_pyramid and pyramid_down<6> in dlib/image_transforms/image_pyramid.h.
"""

from __future__ import annotations

from dataclasses import dataclass

STEP = 6
"""each size is 5/6 of the one before, rounded down"""

MIN_HEIGHT_PX = 5
"""of the smallest size"""

GAP_PX, BORDER_PX = 10, 11
"""between tiles, and around all: dlib's defaults, which hold for files of its first version"""


@dataclass(frozen=True, slots=True)
class Tile:
    """Where one size of the image lies on the canvas, px."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class TiledPyramid:
    """height, width: of the canvas, px. tiles: largest first; each is made from the one before."""

    height: int
    width: int
    tiles: tuple[Tile, ...]


def tiled_pyramid(height: int, width: int) -> TiledPyramid:
    """The layout for images of `height` x `width` px, both positive: down on the left, then up again on the right."""
    sizes = _sizes(height, width)
    down = _left_column_length(sizes)
    tops = [BORDER_PX + sum(h + GAP_PX for h, _ in sizes[:k]) for k in range(down)]
    tiles = [Tile(top, BORDER_PX, *size) for top, size in zip(tops, sizes, strict=False)]
    bottom = tops[-1] + sizes[down - 1][0]
    right, end = BORDER_PX + width, bottom
    for h, w in sizes[down:]:
        tile = Tile(end - h, right - w, h, w)
        if tile.top < BORDER_PX + height and tile.left < right:
            break  # it would lie on the image itself
        tiles.append(tile)
        end -= h + GAP_PX
    return TiledPyramid(bottom + BORDER_PX, width + 2 * BORDER_PX, tuple(tiles))


def _sizes(height: int, width: int) -> list[tuple[int, int]]:
    sizes = [(height, width)]
    while True:
        height, width = height * (STEP - 1) // STEP, width * (STEP - 1) // STEP
        if height < MIN_HEIGHT_PX or width == 0:
            return sizes
        sizes.append((height, width))


def _left_column_length(sizes: list[tuple[int, int]]) -> int:
    """How many tiles lie below each other: until the next fits beside the last, and half of what is below is used."""
    height, width = sizes[0]
    below = sum(h + GAP_PX for h, _ in sizes) - 2 * GAP_PX - height
    used = 0
    for count, (h, w) in enumerate(sizes):
        if count and w <= width - sizes[count - 1][1] - GAP_PX and 2 * (used - height) >= below:
            return count
        used += h + GAP_PX
    return len(sizes)
