"""Decoding by NVDEC, the decoder of NVIDIA's GPUs, through PyAV; frames stay in the memory of the GPU.

Written against PyAV 18.1 with FFmpeg 8.1, and tested on a CPU as far as that goes. Never run on a GPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import av
import torch
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from core.media.device_frame import DeviceFrame
from core.media.media_input import open_input
from core.media.resampler import Resampler
from core.types import ColorInfo, PixelBox


class Nvdec:
    """Opens files for decoding on one GPU, and takes over the frames that it decodes."""

    def __init__(self, device: str) -> None:
        """device: torch's name of the GPU, for example "cuda:0"."""
        self._device = torch.device(device)
        self._resample = Resampler(self._device)

    def open(self, path: Path, container_format: str) -> InputContainer:
        """As `open_input`; what NVDEC cannot decode is decoded in software.

        To be called on the thread that decodes.

        Raises:
            RuntimeError: the GPU fails. av.FFmpegError, OSError, ValueError: the file or NVDEC cannot be opened.
        """
        # Makes torch's context, the device's primary one, current on this thread. `empty` does not always do that.
        torch.zeros(1, device=self._device)
        accelerator = HWAccel(
            "cuda",
            device=str(self._device.index or 0),
            allow_software_fallback=True,
            # Tensors belong to torch's context, the primary one. FFmpeg refuses to share it after torch has made it,
            # because it wants other flags there, but takes whichever context is current.
            options={"primary_ctx": "0", "current_ctx": "1"},
            is_hw_owned=True,
        )
        return open_input(path, container_format, accelerator=accelerator)

    def frame(
        self, frame: av.VideoFrame, *, index: int, pts: int, color: ColorInfo, placed: PixelBox | None = None
    ) -> DeviceFrame:
        """`frame`, which `FrameFilter` has passed untouched, in memory of its own. The others as for `VideoFrame`.

        Raises:
            RuntimeError: the GPU fails.
        """
        # torch would hand over its stream, which PyAV refuses. Both work on the device's default stream, so the copies
        # that `DeviceFrame` makes come after the decoder's work.
        luma, chroma = (torch.from_dlpack(cast(Any, plane).__dlpack__()) for plane in frame.planes)
        return DeviceFrame((luma, chroma), self._resample, index=index, pts=pts, color=color, placed=placed)
