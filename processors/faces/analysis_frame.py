"""A frame as the analysis sees it: a thumbnail, and an image at the analysis size that is converted when first used."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.media.video_frame import VideoFrame
from core.types import ByteArray
from utils.images.noise import without_noise
from utils.images.tone_stretch import DARKENING, darkened, is_narrow, is_tinted, stretched, untinted
from utils.processes.stage_times import timed

THUMB_WIDTH, THUMB_HEIGHT = 128, 72
"""size of the thumbnails in which cuts are detected"""

LAZY_LIMIT_PX = 1920 * 1088
"""larger frames are converted at once: a second of unconverted ones would take too much memory"""


class AnalysisImage:
    """A `LazyImage`: one frame at the analysis size. Calling it gives the pixels, converted on the first call.

    The tones of dark and pale frames are stretched, or those of an overexposed video darkened; `gain` says by how much.
    Tinted frames are grey, and noisy ones smoothed.

    May be called from two threads, one after the other.

    Attributes:
        thumbnail: (72, 128, 3) uint8, Y V U as stored, area-averaged.
        width, height: of the image, px.
        gain: of the contrast, 1.0 where the pixels are as they were; known once they are converted.
    """

    def __init__(self, frame: VideoFrame, width: int, height: int, *, is_overexposed: bool = False) -> None:
        self._frame: VideoFrame | None = frame
        self.width, self.height = width, height
        with timed("convert"):
            self.thumbnail = frame.shrunk(THUMB_WIDTH, THUMB_HEIGHT)
        self._pixels: ByteArray | None = None
        self._is_overexposed = is_overexposed
        self.gain = 1.0
        if frame.width * frame.height > LAZY_LIMIT_PX:
            self()

    def __call__(self) -> ByteArray:
        """(height, width, 3) uint8 RGB, C-contiguous; the same array each time."""
        if self._pixels is None:
            assert self._frame is not None
            with timed("convert"):
                self._pixels = self._frame.rgb(self.width, self.height)
                if self._is_overexposed:
                    self._pixels, self.gain = darkened(self._pixels), float(DARKENING)
                else:
                    self._pixels, self.gain = _legible(self._pixels, self.luma, self.small_rgb())
                self._pixels = without_noise(self._pixels)
            self._frame = None
        return self._pixels

    @property
    def luma(self) -> ByteArray:
        """(72, 128) uint8, luma as stored, area-averaged."""
        return self.thumbnail[..., 0]

    @property
    def waiting_bytes(self) -> int:
        """Size of the decoded frame, 0 once it is converted."""
        return 0 if self._frame is None else self._frame.width * self._frame.height * 3 // 2

    def small_rgb(self) -> ByteArray:
        """(72, 128, 3) uint8, roughly RGB: matrix and range are ignored, which comparing frames does not need."""
        return np.asarray(cv2.cvtColor(self.thumbnail, cv2.COLOR_YCrCb2RGB), np.uint8)


def _legible(pixels: ByteArray, luma: ByteArray, small: ByteArray) -> tuple[ByteArray, float]:
    """An image, (h, w, 3) uint8 RGB, in tones that face networks know, and the gain in contrast.

    luma: (72, 128) and small: (72, 128, 3) uint8 RGB are of its thumbnail, which is judged at a hundredth of the cost.
    """
    gain = 1.0
    if is_tinted(small):
        pixels, gain = untinted(pixels)
        luma = untinted(small)[0][..., 0]
    if is_narrow(luma):
        pixels, contrast = stretched(pixels)
        gain *= contrast
    return pixels, gain


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisFrame:
    """A decoded frame on its way through the analysis. Whoever keeps it keeps the decoder's buffer.

    tick: when it is shown, see `FrameTicks`. earlier: thumbnails of the frames before it, the last one last, from
    the one in which the tracker last looked at calm faces.
    """

    source: VideoFrame
    image: AnalysisImage
    tick: int
    earlier: tuple[ByteArray, ...] = ()

    @property
    def index(self) -> int:
        return self.source.index
