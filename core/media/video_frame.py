"""The interface of decoded frames: planes, scaled RGB, scaled YUV, an RGB patch at native resolution."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import ByteArray, ColorInfo, PixelBox

FAST_SHRINK = 3.0
"""when shrinking by more than this, two pixels per row and column are too few: static images flicker"""

_LUMA_WEIGHTS = {"bt709": (0.2126, 0.0722), "bt2020nc": (0.2627, 0.0593), "bt2020c": (0.2627, 0.0593)}
_BT601_LUMA_WEIGHTS = (0.299, 0.114)

_ORDINARY_PX = 2**20


class VideoFrame(ABC):
    """A frame in display geometry: upright, square pixels, planar 8-bit YUV 4:2:0.

    May be read from any thread, by one at a time.

    Attributes:
        index: number of the frame, from 0 at the first that its `VideoReader.frames` yielded.
        pts: presentation time in the stream's time base.
        width, height: px, as displayed; may be odd.
        placed: the part that the stored frame fills, if it has another shape than the first one of the video; the rest
            is black. None if it fills all.
    """

    __slots__ = ("_full_range", "_matrix", "height", "index", "placed", "pts", "width")

    def __init__(
        self, size: tuple[int, int], *, index: int, pts: int, color: ColorInfo, placed: PixelBox | None
    ) -> None:
        """size: width and height, px. color: its matrix and range are those of the planes."""
        self.width, self.height = size
        self._matrix = color.matrix or default_matrix(*size)
        self._full_range = color.range == "pc"
        self.index = index
        self.pts = pts
        self.placed = placed

    def __repr__(self) -> str:
        return f"{type(self).__name__}(index={self.index}, pts={self.pts}, {self.width}x{self.height})"

    @abstractmethod
    def planes(self) -> tuple[ByteArray, ByteArray, ByteArray]:
        """Read-only arrays (H, W), (ceil(H/2), ceil(W/2)) twice, uint8: Y, U, V. Rows may be padded."""

    @abstractmethod
    def rgb(self, width: int, height: int) -> ByteArray:
        """The whole frame scaled to (height, width, 3) uint8 RGB, C-contiguous."""

    @abstractmethod
    def shrunk(self, width: int, height: int) -> ByteArray:
        """The whole frame area-averaged to (height, width, 3) uint8 in the order Y, V, U, values as stored."""

    @abstractmethod
    def _cropped(self, left: int, top: int, right: int, bottom: int) -> tuple[ByteArray, ByteArray, ByteArray]:
        """The planes of a part of the frame, px; `left` and `top` are even, so that chroma samples begin there too."""

    def patch(self, box: Sequence[float] | NDArray[np.floating]) -> tuple[ByteArray, int, int]:
        """Native-resolution RGB of the smallest whole-pixel rectangle that covers `box`.

        box: x1 y1 x2 y2 in display px. It is clipped to the frame; of a box wholly outside, the nearest pixels remain,
        so the patch is never empty.

        Returns (pixels (h, w, 3) uint8 RGB, C-contiguous, and its upper left corner x0, y0 in px).

        Raises:
            ValueError: a coordinate is not a finite number.
        """
        if not all(math.isfinite(value) for value in box):
            raise ValueError(f"box {tuple(box)}")
        x0, x1 = _clipped_span(float(box[0]), float(box[2]), self.width)
        y0, y1 = _clipped_span(float(box[1]), float(box[3]), self.height)
        # Chroma samples cover 2x2 pixels, so the rectangle is converted from even corners.
        left, top = x0 & ~1, y0 & ~1
        luma, *chroma = self._cropped(left, top, x1, y1)
        size = (luma.shape[1] + luma.shape[1] % 2, luma.shape[0] + luma.shape[0] % 2)
        full = [cv2.resize(c, size, interpolation=cv2.INTER_LINEAR) for c in chroma]
        yuv = np.stack([luma, *(c[: luma.shape[0], : luma.shape[1]] for c in full)], axis=-1)
        rgb = cv2.transform(yuv, rgb_from_yuv(self._matrix, self._full_range))
        return np.ascontiguousarray(rgb[y0 - top :, x0 - left :], np.uint8), x0, y0


def waiting_frames(width: int, height: int, most: int) -> int:
    """How many decoded frames of this size, px, may wait between two threads: `most` up to 720p, of 1080p half as many.

    They are 1.5 bytes a pixel, and wait at several places; at least two, so that neither thread waits for each frame.
    """
    return max(2, min(most, most * _ORDINARY_PX // (width * height)))


def default_matrix(width: int, height: int) -> str:
    """The likely colour matrix of untagged frames of this size, upright or not, in ffmpeg's naming."""
    return "bt709" if max(width, height) >= 1280 or min(width, height) > 576 else "smpte170m"


def _clipped_span(low: float, high: float, limit: int) -> tuple[int, int]:
    """[low, high) widened to whole pixels, within [0, limit), at least one pixel."""
    # Clamped as float first: int() of a huge float is a huge int.
    start = min(max(math.floor(min(max(low, -1.0), limit + 1.0)), 0), limit - 1)
    end = min(max(math.ceil(min(max(high, -1.0), limit + 1.0)), start + 1), limit)
    return start, end


def rgb_from_yuv(matrix: str, full_range: bool) -> NDArray[np.float64]:
    """(3, 4) float64: rgb = m[:, :3] @ yuv + m[:, 3], all in 0..255."""
    kr, kb = _LUMA_WEIGHTS.get(matrix, _BT601_LUMA_WEIGHTS)
    kg = 1 - kr - kb
    luma, chroma, black = (1.0, 1.0, 0.0) if full_range else (255 / 219, 255 / 224, 16.0)
    v_to_r, u_to_b = 2 * (1 - kr) * chroma, 2 * (1 - kb) * chroma
    m = np.array(
        [[luma, 0, v_to_r], [luma, -u_to_b * kb / kg, -v_to_r * kr / kg], [luma, u_to_b, 0]],
        np.float64,
    )
    return np.hstack([m, m @ -np.array([[black], [128.0], [128.0]])])
