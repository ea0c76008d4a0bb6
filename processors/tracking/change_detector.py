"""Whether an image differs from an earlier one, away from the faces that are known."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray
from processors.tracking.lazy_image import LazyImage

WIDTH, HEIGHT = 96, 54
"""cells compared; the smallest wanted face covers three of them"""

CHANGE_LEVELS = 5.0
"""a changed cell differs by more, levels of stored luma (5.8 grey levels, in limited range); noise and compression move
cell means by 1 to 2"""


class Cells:
    """Mean luma of an image's cells.

    Attributes:
        levels: (54, 96) int16.
        width, height: of the image, px.
    """

    def __init__(self, image: LazyImage) -> None:
        self.width, self.height = image.width, image.height
        self.levels = np.asarray(cv2.resize(image.luma, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.int16)


class ChangeDetector:
    """Compares images with a reference image."""

    def __init__(self) -> None:
        self._reference: Cells | None = None

    def remember(self, cells: Cells) -> None:
        """Make this the image that later ones are compared with."""
        self._reference = cells

    def compare(self, cells: Cells) -> Changes:
        """Where an image differs from the reference; everywhere if there is none yet."""
        if self._reference is None:
            return Changes(np.ones((HEIGHT, WIDTH), bool), cells.width, cells.height)
        changed = np.abs(cells.levels - self._reference.levels) > CHANGE_LEVELS
        return Changes(changed, cells.width, cells.height)


class Changes:
    """The cells of an image that differ from the reference."""

    def __init__(self, cells: NDArray[np.bool_], width: int, height: int) -> None:
        """cells: (54, 96) bool. width, height: of the image, px."""
        self._sums = np.zeros((HEIGHT + 1, WIDTH + 1), np.int64)
        self._sums[1:, 1:] = cells.cumsum(0).cumsum(1)
        self._scale = np.array([WIDTH / width, HEIGHT / height] * 2)

    def within(self, boxes: FloatArray) -> NDArray[np.int64]:
        """(N,) number of changed cells that each of the boxes (N, 4) touches."""
        cells = np.asarray(boxes) * self._scale
        low = np.clip(np.floor(cells[:, :2]), 0, [WIDTH, HEIGHT]).astype(int)
        high = np.clip(np.ceil(cells[:, 2:]), low, [WIDTH, HEIGHT]).astype(int)
        sums = self._sums
        return np.asarray(
            sums[high[:, 1], high[:, 0]]
            - sums[low[:, 1], high[:, 0]]
            - sums[high[:, 1], low[:, 0]]
            + sums[low[:, 1], low[:, 0]]
        )

    def outside(self, known: Sequence[FloatArray]) -> bool:
        """Whether anything changed outside of the boxes `known`, (4,) each."""
        inside = int(self.within(np.stack(known)).sum()) if known else 0
        return int(self._sums[-1, -1]) > inside
