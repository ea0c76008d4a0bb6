"""Similarities of all pairs of thousands of items, in two bytes per pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK_ITEMS = 128
"""side of the blocks in which matrices are computed and read: small enough for memory, large enough for few calls"""

Block = Callable[[slice, slice], NDArray[np.float32]]
"""(R, C) float32 in [0, 1] of the items in two slices"""

_STEPS = 65534
"""steps of a right angle; an even number, so that 0, 0.5 and 1 are stored exactly"""
_SIMILARITIES = (np.sin(np.arange(_STEPS + 1) * (np.pi / 2 / _STEPS)) ** 2).astype(np.float32)
"""the similarity of each step"""


class PairMatrix:
    """A symmetric (N, N) matrix of similarities in N^2 bytes: the part below the diagonal, and the blocks on it.

    A similarity is stored as the 16-bit angle whose squared sine it is. The steps are 2.4e-5 around 0.5, so values are
    off by at most half of that, and smaller towards 0 and 1, where the similarities of certain pairs lie close
    together. Rows lie in panels of `BLOCK_ITEMS`, each as long as its last row, so nothing larger than a panel is ever
    copied.
    """

    def __init__(self, size: int, block: Block) -> None:
        """block: computes the values of two slices of at most `BLOCK_ITEMS` items. It is called once for each pair
        of slices, with the later items as rows, in the order of the rows. In blocks on the diagonal, only the part
        below the diagonal counts.
        """
        self._size = size
        self._panels: list[NDArray[np.uint16]] = []
        for rows in item_blocks(size):
            panel = np.empty((rows.stop - rows.start, rows.stop), np.uint16)
            for columns in item_blocks(rows.stop):
                panel[:, columns] = _codes(block(rows, columns))
            square = panel[:, rows]
            upper = np.triu_indices(len(square), 1)
            square[upper] = square.T[upper]
            self._panels.append(panel)

    @classmethod
    def of(cls, matrix: NDArray[np.floating]) -> PairMatrix:
        """The similarities of `matrix`, (N, N) in [0, 1], whose part above the diagonal is ignored."""
        return cls(len(matrix), lambda rows, columns: np.asarray(matrix[rows, columns], np.float32))

    def __len__(self) -> int:
        return self._size

    def rows(self, items: NDArray[np.int64]) -> NDArray[np.float32]:
        """(M, N) float32, the whole rows of some items."""
        found = np.empty((len(items), self._size), np.float32)
        for number, panel in enumerate(self._panels):
            begin, end = number * BLOCK_ITEMS, panel.shape[1]
            own = (items >= begin) & (items < end)
            found[own, :end] = _SIMILARITIES[panel[items[own] - begin]]
            before = items < begin
            found[before, begin:end] = _SIMILARITIES[panel[:, items[before]].T]
        return found

    def square(self, items: NDArray[np.int64]) -> NDArray[np.float32]:
        """(M, M) float32, a copy: the values of every two of `items`, which increase."""
        found = np.empty((len(items), len(items)), np.float32)
        for number, panel in enumerate(self._panels):
            begin, end = np.searchsorted(items, (number * BLOCK_ITEMS, panel.shape[1])).tolist()
            if begin == end:
                continue
            part = _SIMILARITIES[panel[np.ix_(items[begin:end] - number * BLOCK_ITEMS, items[:end])]]
            found[begin:end, :end] = part
            found[:end, begin:end] = part.T
        return found


def item_blocks(size: int) -> Iterator[slice]:
    """Slices of at most `BLOCK_ITEMS` items that cover 0 to `size`."""
    for begin in range(0, size, BLOCK_ITEMS):
        yield slice(begin, min(begin + BLOCK_ITEMS, size))


def _codes(similarity: NDArray[np.float32]) -> NDArray[np.uint16]:
    angles = np.arcsin(np.sqrt(np.clip(similarity, 0, 1)))
    return np.asarray(np.rint(angles * np.float32(_STEPS / (np.pi / 2))), np.uint16)
