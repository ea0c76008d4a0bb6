"""A decoded frame in the memory of the CPU, converted and scaled by swscale."""

from __future__ import annotations

import threading
from typing import Any, cast

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from core.media.video_frame import FAST_SHRINK, VideoFrame
from core.types import ByteArray, ColorInfo, PixelBox

# swscale's constants (libswscale/swscale.h), the same in all versions
_FAST_BILINEAR, _AREA = 1, 0x20
_SWS_MATRIX = {"bt709": 1, "fcc": 4, "smpte240m": 7, "bt2020nc": 9, "bt2020c": 9}
_SWS_BT601 = 5
_RANGE_LIMITED, _RANGE_FULL = 1, 2

_SCALERS_KEPT = 8
_SCALING_THREADS = 1
"""An image takes half a millisecond, of which handing its halves to other threads was a part."""

_scalers = threading.local()


class SoftwareFrame(VideoFrame):
    """Holds the decoder's buffer, without a copy, as long as it or a view of its planes lives."""

    __slots__ = ("_frame",)

    def __init__(
        self, frame: av.VideoFrame, *, index: int, pts: int, color: ColorInfo, placed: PixelBox | None = None
    ) -> None:
        """frame: format yuv420p or yuvj420p. The others as for `VideoFrame`."""
        super().__init__((frame.width, frame.height), index=index, pts=pts, color=color, placed=placed)
        self._frame = frame

    def planes(self) -> tuple[ByteArray, ByteArray, ByteArray]:
        y, u, v = (_plane_view(plane) for plane in self._frame.planes)
        return y, u, v

    def _cropped(self, left: int, top: int, right: int, bottom: int) -> tuple[ByteArray, ByteArray, ByteArray]:
        luma, *chroma = self.planes()
        u, v = (c[top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2] for c in chroma)
        return luma[top:bottom, left:right], u, v

    def rgb(self, width: int, height: int) -> ByteArray:
        shrink = max(self.width / width, self.height / height)
        scaled = _scaler(self.width, self.height, width, height).reformat(
            self._frame,
            width,
            height,
            "rgb24",
            src_colorspace=_SWS_MATRIX.get(self._matrix, _SWS_BT601),
            src_color_range=_RANGE_FULL if self._full_range else _RANGE_LIMITED,
            dst_color_range=_RANGE_FULL,
            interpolation=_AREA if shrink > FAST_SHRINK else _FAST_BILINEAR,
            threads=_SCALING_THREADS,
        )
        return np.ascontiguousarray(scaled.to_ndarray(), np.uint8)

    def shrunk(self, width: int, height: int) -> ByteArray:
        scaled = _scaler(self.width, self.height, width, height).reformat(
            self._frame,
            width,
            height,
            "yuv444p",
            # Equal ranges on both sides, so that values are not stretched.
            src_color_range=_RANGE_LIMITED,
            dst_color_range=_RANGE_LIMITED,
            interpolation=_AREA,
            threads=_SCALING_THREADS,
        )
        y, u, v = (_plane_view(plane) for plane in scaled.planes)
        return np.asarray(cv2.merge([y, v, u]), np.uint8)


def _plane_view(plane: av.video.plane.VideoPlane) -> ByteArray:
    # PyAV's stubs do not declare that a plane is a buffer.
    rows: ByteArray = np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)
    view = rows[: plane.height, : plane.width]
    # Read-only, because the decoder predicts later frames from this memory.
    view.flags.writeable = False
    return view


def _scaler(*sizes: int) -> VideoReformatter:
    """A cached swscale context for these sizes: a new one for every frame would cost 2 ms."""
    kept: dict[tuple[int, ...], VideoReformatter] = _scalers.__dict__.setdefault("kept", {})
    if sizes not in kept:
        if len(kept) >= _SCALERS_KEPT:
            kept.pop(next(iter(kept)))
        kept[sizes] = VideoReformatter()
    return kept[sizes]
