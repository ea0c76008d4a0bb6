"""A decoded frame in the memory of a torch device: as NVDEC leaves it there, in NV12 or P010.

It answers what a `SoftwareFrame` answers, computed on the device, so that only small results travel to the CPU. Written
for a GPU and tested with torch on the CPU. Never run on a GPU.
"""

from __future__ import annotations

import numpy as np
import torch

from core.media.resampler import Resampler
from core.media.video_frame import FAST_SHRINK, VideoFrame, rgb_from_yuv
from core.types import ByteArray, ColorInfo, PixelBox


class DeviceFrame(VideoFrame):
    """Two tensors: luma, and chroma with U and V interleaved. Methods raise torch's RuntimeError if it fails."""

    __slots__ = ("_chroma", "_luma", "_resample")

    def __init__(
        self,
        surface: tuple[torch.Tensor, torch.Tensor],
        resample: Resampler,
        *,
        index: int,
        pts: int,
        color: ColorInfo,
        placed: PixelBox | None = None,
    ) -> None:
        """surface: luma (H, W) with H and W even, and chroma (H/2, W/2, 2), each uint8 or uint16 (10 bits, in the upper
        part). They are copied, so that the decoder's few surfaces are free again at once; whatever the device does with
        the copies comes after it. resample: of their device. The others as for `VideoFrame`.
        """
        luma, chroma = surface
        height, width = luma.shape
        super().__init__((width, height), index=index, pts=pts, color=color, placed=placed)
        self._resample = resample
        with torch.inference_mode():
            self._luma, self._chroma = _in_8_bits(luma), _in_8_bits(chroma)

    def planes(self) -> tuple[ByteArray, ByteArray, ByteArray]:
        return self._cropped(0, 0, self.width, self.height)

    def _cropped(self, left: int, top: int, right: int, bottom: int) -> tuple[ByteArray, ByteArray, ByteArray]:
        luma = self._luma[top:bottom, left:right].contiguous().cpu().numpy()
        chroma = self._chroma[top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2]
        u, v = chroma.permute(2, 0, 1).contiguous().cpu().numpy()
        for plane in (luma, u, v):
            plane.flags.writeable = False
        return luma, u, v

    def rgb(self, width: int, height: int) -> ByteArray:
        shrink = max(self.width / width, self.height / height)
        with torch.inference_mode():
            yuv = self._scaled(width, height, averaged=shrink > FAST_SHRINK)
            matrix = torch.from_numpy(rgb_from_yuv(self._matrix, self._full_range).astype(np.float32)).to(yuv.device)
            return _bytes(torch.einsum("cp,phw->hwc", matrix[:, :3], yuv) + matrix[:, 3])

    def shrunk(self, width: int, height: int) -> ByteArray:
        with torch.inference_mode():
            y, u, v = self._scaled(width, height, averaged=True)
            return _bytes(torch.stack([y, v, u], 2))

    def _scaled(self, width: int, height: int, *, averaged: bool) -> torch.Tensor:
        """(3, height, width) float32: Y, U, V as stored."""
        planes = self._luma[None], self._chroma.permute(2, 0, 1)
        return torch.cat([self._resample(plane, width, height, averaged=averaged) for plane in planes])


def _in_8_bits(plane: torch.Tensor) -> torch.Tensor:
    """A contiguous copy as uint8."""
    if plane.dtype == torch.uint8:
        return plane.clone(memory_format=torch.contiguous_format)
    # Few operations know uint16, so the bits are read as int16, and what is negative gets its 2^16 back.
    words = plane.view(torch.int16).to(torch.int32) & 0xFFFF
    return ((words + 128) >> 8).clamp(max=255).to(torch.uint8)


def _bytes(values: torch.Tensor) -> ByteArray:
    """Rounded to uint8, C-contiguous, in the memory of the CPU."""
    rounded = values.round().clamp(0, 255).to(torch.uint8)
    return np.asarray(rounded.contiguous().cpu().numpy())
