"""What the analysis sees of a frame: a thumbnail always, the picture only when somebody looks."""

from __future__ import annotations

import cv2
import numpy as np

from core.media.video_frame import VideoFrame
from core.types import ByteArray
from utils.stage_times import timed

THUMB_WIDTH, THUMB_HEIGHT = 128, 72
"""size of the pictures in which cuts are looked for"""

LAZY_LIMIT_PX = 1920 * 1088
"""frames larger than this are converted at once: keeping a second of them undecided would take too much memory"""


class AnalysisPicture:
    """One frame at the analysis size. Calling it gives the pixels, converted when first asked for.

    May be asked from two threads, one after the other.
    """

    def __init__(self, frame: VideoFrame, width: int, height: int) -> None:
        self._frame: VideoFrame | None = frame
        self._size = width, height
        self._pixels: ByteArray | None = None
        if frame.width * frame.height > LAZY_LIMIT_PX:
            self()

    def __call__(self) -> ByteArray:
        """(height, width, 3) uint8 RGB, C-contiguous; the same array each time."""
        if self._pixels is None:
            assert self._frame is not None
            with timed("convert"):
                self._pixels = self._frame.rgb(*self._size)
            self._frame = None
        return self._pixels


@timed("convert")
def thumbnail(frame: VideoFrame) -> ByteArray:
    """(72, 128, 3) uint8, roughly RGB: without ranges and matrices, which no comparison of pictures needs."""
    return np.asarray(cv2.cvtColor(frame.shrunk(THUMB_WIDTH, THUMB_HEIGHT), cv2.COLOR_YCrCb2RGB), np.uint8)
