"""Area-averaged resampling of an image and of many small regions of it, vectorised."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_REMAP_ROWS = 30_000
"""cv2.remap only takes images of fewer than 32767 rows"""

BEYOND = 127.5
"""level of what is outside of an image: zero to MTCNN's networks"""

LARGE_SHARE = 0.6
"""size of a square, as a share of the image's shorter side, from which on it is not stretched at the edge. Chosen on
close-ups of four signers and `friends_26`: 0.8 and any size give the same there, but with any size two of 155 small
faces that leave the image are lost"""


class AreaSampler:
    """Means over cells of one image, from its summed-area table.

    Cell i of n over a length L is [floor(i L / n), ceil((i + 1) L / n)), as in torch's adaptive average pooling, with
    which facenet-pytorch resizes. The MTCNN cascade is so sensitive to the pixels of its inputs that other filters, or
    rounding to bytes, change a fifth of its boxes by more than a tenth of their size.
    """

    def __init__(self, image: NDArray[np.uint8]) -> None:
        """image: (h, w, 3) uint8, C-contiguous."""
        self.height, self.width = image.shape[:2]
        self._table = cv2.integral(image)

    def resized(self, height: int, width: int) -> NDArray[np.float32]:
        """The whole image as (height, width, 3) float32 in [0, 255]."""
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

        boxes: (N, 4) float32 xyxy. As in facenet-pytorch's `pad`, corners are truncated to whole pixels, one pixel is
        added at the top left and the region is clipped to the image; a box across the edge is stretched, as in the
        training of the networks.
        """
        low, high = whole_pixels(boxes, self.width, self.height)
        n = len(low)
        size = (high - low)[:, None]
        step = np.arange(side)[None, :, None]
        first = low[:, None] + step * size // side
        last = low[:, None] - (-(step + 1) * size // side)
        # All first edges before all last ones: numpy is slow where only the three colours lie side by side.
        edges = np.concatenate([first, last], 1).astype(np.float32)
        corners = self._lookup(edges).reshape(n, 2, side, 2, 3 * side)
        rows = corners[:, 1] - corners[:, 0]
        sums = rows[:, :, 1] - rows[:, :, 0]
        extent = (last - first).astype(np.float32)
        area = extent[:, :, None, 1] * np.repeat(extent[:, None, :, 0], 3, axis=2)
        return _means(sums, area).reshape(n, side, side, 3)

    def _lookup(self, edges: NDArray[np.float32]) -> NDArray[np.int32]:
        """Table entries at the grid of each region: edges (N, k, 2), whole x and y -> (N * k, k, 3)."""
        n, k = edges.shape[:2]
        map_x = np.broadcast_to(edges[:, None, :, 0], (n, k, k)).reshape(n * k, k)
        map_y = np.broadcast_to(edges[:, :, None, 1], (n, k, k)).reshape(n * k, k)
        parts = [
            cv2.remap(self._table, map_x[row : row + MAX_REMAP_ROWS], map_y[row : row + MAX_REMAP_ROWS], 0)
            for row in range(0, n * k, MAX_REMAP_ROWS)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class SampledImages:
    """`AreaSampler`s of several images of one size, used together."""

    def __init__(self, images: Sequence[NDArray[np.uint8]]) -> None:
        """images: each (h, w, 3) uint8, C-contiguous."""
        self._samplers = [AreaSampler(image) for image in images]
        self.height, self.width = self._samplers[0].height, self._samplers[0].width

    def level(self, height: int, width: int) -> NDArray[np.float32]:
        """All images as (n, height, width, 3) float32 in [0, 255]."""
        return np.stack([sampler.resized(height, width) for sampler in self._samplers])

    def crops(self, boxes: NDArray[np.float32], owner: NDArray[np.int64], side: int) -> NDArray[np.float32]:
        """(N, side, side, 3) float32: each box resampled from the image with the index in `owner`, (N,)."""
        crops = np.empty((len(boxes), side, side, 3), np.float32)
        for number in np.unique(owner):
            mine = owner == number
            crops[mine] = self._samplers[number].squares(boxes[mine], side)
        return crops


def whole_pixels(boxes: NDArray[np.float32], width: int, height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Top left corners and ends, (N, 2) each, of the whole pixels that facenet-pytorch crops for `boxes`."""
    limit = np.array([width, height])
    whole = np.trunc(boxes).astype(np.int64)
    low = np.clip(whole[:, :2] - 1, 0, limit - 1)
    return low, np.clip(whole[:, 2:], low + 1, limit)


def few_squares(image: NDArray[np.uint8], boxes: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """(N, side, side, 3) float32, like `AreaSampler.squares`, but box by box with OpenCV's filter: for a few boxes.

    It needs no table of the image, which would cost more than a few regions. The pixels differ in the last bits from
    those that MTCNN was trained on; tracking is less sensitive to that than detection.

    A large box across the edge is not stretched: beyond the image is `BEYOND`, so that a face that is larger than the
    image keeps its proportions. Stretched, its box would grow or shrink with every look.
    """
    height, width = image.shape[:2]
    large_px = LARGE_SHARE * min(height, width)
    crops = np.empty((len(boxes), side, side, 3), np.float32)
    for row, (x1, y1, x2, y2) in enumerate(np.trunc(boxes).astype(int).tolist()):
        left, top = min(max(x1 - 1, 0), width - 1), min(max(y1 - 1, 0), height - 1)
        region = image[top : max(min(y2, height), top + 1), left : max(min(x2, width), left + 1)]
        is_large = max(x2 - x1, y2 - y1) >= large_px
        to_x = _inner(x1 - 1, x2, width, side) if is_large else slice(0, side)
        to_y = _inner(y1 - 1, y2, height, side) if is_large else slice(0, side)
        size = (to_x.stop - to_x.start, to_y.stop - to_y.start)
        if size != (side, side):
            crops[row] = BEYOND
        is_shrunk = region.shape[1] >= size[0] and region.shape[0] >= size[1]
        method = cv2.INTER_AREA if is_shrunk else cv2.INTER_LINEAR
        crops[row, to_y, to_x] = cv2.resize(region, size, interpolation=method)
    return crops


def _inner(first: int, last: int, length: int, side: int) -> slice:
    """The pixels of a crop of [first, last) that show something of an image of `length`; at least one, at an edge."""
    scale = side / max(last - first, 1)
    begin = min(max(round(-first * scale), 0), side - 1)
    return slice(begin, max(min(round((length - first) * scale), side), begin + 1))


def _means(sums: NDArray[np.int32], area: NDArray[np.float32]) -> NDArray[np.float32]:
    """sums / area. Exactly as in 64 bits, since sums of up to 65 000 pixels are exact in 32, in half the time."""
    means = sums.astype(np.float32)
    means /= area
    return means


def _cells(length: int, parts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    step = np.arange(parts)
    return step * length // parts, -(-(step + 1) * length // parts)
