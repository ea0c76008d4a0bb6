"""Area-averaged resampling of a picture and of many small regions of it, without a loop."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_REMAP_ROWS = 30_000
"""cv2.remap takes pictures of fewer than 32767 rows"""


class AreaSampler:
    """Means over cells of one picture, from its summed-area table.

    A cell i of a length L divided by n is [floor(i L / n), ceil((i + 1) L / n)): torch's adaptive
    average pooling, which facenet-pytorch resizes with. The cascade's decisions are so sensitive to
    its inputs' pixels that other filters, or rounding to bytes, change a fifth of its boxes by more
    than a tenth of their size.
    """

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        """picture: (h, w, 3) uint8, C-contiguous."""
        self.height, self.width = picture.shape[:2]
        self._table = cv2.integral(picture)

    def resized(self, height: int, width: int) -> NDArray[np.float32]:
        """The whole picture as (height, width, 3) float32 in [0, 255]."""
        top, bottom = _cells(self.height, height)
        left, right = _cells(self.width, width)
        rows = np.take(self._table, bottom, axis=0)
        rows -= np.take(self._table, top, axis=0)
        sums = np.take(rows, right, axis=1)
        sums -= np.take(rows, left, axis=1)
        area = np.outer(bottom - top, np.repeat(right - left, 3)).astype(np.float32)
        return _means(sums.reshape(height, -1), area).reshape(height, width, 3)

    def squares(self, boxes: NDArray[np.float32], side: int) -> NDArray[np.float32]:
        """Regions resampled to `side` x `side`: (N, side, side, 3) float32 in [0, 255].

        boxes: (N, 4) float32 xyxy. As facenet-pytorch's `pad` does, corners are truncated to whole
        pixels, one pixel is added at the top left and the region is clipped to the picture, so that
        a box over the edge is stretched as in the networks' training.
        """
        low, high = whole_pixels(boxes, self.width, self.height)
        n = len(low)
        size = (high - low)[:, None]
        step = np.arange(side)[None, :, None]
        first = low[:, None] + step * size // side
        last = low[:, None] - (-(step + 1) * size // side)
        edges = np.stack([first, last], 2).reshape(n, 2 * side, 2).astype(np.float32)
        corners = self._lookup(edges).reshape(n, side, 2, side, 2, 3)
        rows = corners[:, :, 1] - corners[:, :, 0]
        sums = rows[:, :, :, 1] - rows[:, :, :, 0]
        extent = (last - first).astype(np.float32)
        area = extent[:, :, None, 1] * extent[:, None, :, 0]
        return _means(sums, area[..., None])

    def _lookup(self, edges: NDArray[np.float32]) -> NDArray[np.int32]:
        """Table entries at the grid of each region: (N, k, 2) whole x and y -> (N * k, k, 3)."""
        n, k = edges.shape[:2]
        map_x = np.broadcast_to(edges[:, None, :, 0], (n, k, k)).reshape(n * k, k)
        map_y = np.broadcast_to(edges[:, :, None, 1], (n, k, k)).reshape(n * k, k)
        parts = [
            cv2.remap(self._table, map_x[row : row + MAX_REMAP_ROWS], map_y[row : row + MAX_REMAP_ROWS], 0)
            for row in range(0, n * k, MAX_REMAP_ROWS)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class SampledImages:
    """`AreaSampler`s of several pictures of one size, asked together."""

    def __init__(self, pictures: Sequence[NDArray[np.uint8]]) -> None:
        """pictures: each (h, w, 3) uint8, C-contiguous."""
        self._samplers = [AreaSampler(picture) for picture in pictures]
        self.height, self.width = self._samplers[0].height, self._samplers[0].width

    def level(self, height: int, width: int) -> NDArray[np.float32]:
        """All pictures as (n, height, width, 3) float32 in [0, 255]."""
        return np.stack([sampler.resized(height, width) for sampler in self._samplers])

    def crops(self, boxes: NDArray[np.float32], owner: NDArray[np.int64], side: int) -> NDArray[np.float32]:
        """(N, side, side, 3) float32, each box cut out of the picture that `owner` names."""
        crops = np.empty((len(boxes), side, side, 3), np.float32)
        for number in np.unique(owner):
            mine = owner == number
            crops[mine] = self._samplers[number].squares(boxes[mine], side)
        return crops


def whole_pixels(boxes: NDArray[np.float32], width: int, height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Upper left corners and ends of the whole pixels that facenet-pytorch cuts out for `boxes`; (N, 2) each."""
    limit = np.array([width, height])
    whole = np.trunc(boxes).astype(np.int64)
    low = np.clip(whole[:, :2] - 1, 0, limit - 1)
    return low, np.clip(whole[:, 2:], low + 1, limit)


def few_squares(picture: NDArray[np.uint8], boxes: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """As `AreaSampler.squares`, one box after the other and with OpenCV's filter: for a handful of boxes.

    Without a table of the picture, which costs more than the few regions do. The pixels are not the same to the
    last bit as those that MTCNN was trained on, but following does not decide as narrowly as detection does.
    """
    height, width = picture.shape[:2]
    crops = np.empty((len(boxes), side, side, 3), np.float32)
    for row, (x1, y1, x2, y2) in enumerate(np.trunc(boxes).astype(int).tolist()):
        left, top = min(max(x1 - 1, 0), width - 1), min(max(y1 - 1, 0), height - 1)
        region = picture[top : max(min(y2, height), top + 1), left : max(min(x2, width), left + 1)]
        method = cv2.INTER_AREA if min(region.shape[:2]) >= side else cv2.INTER_LINEAR
        crops[row] = cv2.resize(region, (side, side), interpolation=method)
    return crops


def _means(sums: NDArray[np.int32], area: NDArray[np.float32]) -> NDArray[np.float32]:
    """Quotients to the bit as 64 bits give them: sums of up to 65 000 pixels are exact in 32, at half the time."""
    means = sums.astype(np.float32)
    means /= area
    return means


def _cells(length: int, parts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    step = np.arange(parts)
    return step * length // parts, -(-(step + 1) * length // parts)
