"""NVDEC as far as a machine without a GPU goes: software decodes, and the frames take NVDEC's form in host memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from av.container import InputContainer
from av.video.stream import VideoStream

from core.media import frame_filter
from core.media.frame_decoder import FrameDecoder
from core.media.media_input import open_input
from core.media.nvdec import Nvdec


class FakeNvdec(Nvdec):
    """Everything but the accelerator is the real one's; PyAV gives away planes in host memory as those of a GPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stored: str = "nv12") -> None:
        """stored: the format of the frames, for the rest of the test taken for one in the memory of a GPU."""
        super().__init__("cpu")
        self._opened: list[InputContainer] = []
        decode = FrameDecoder.frames

        def frames(decoder: FrameDecoder, container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
            here = any(container is opened for opened in self._opened)
            for frame in decode(decoder, container, stream):
                yield frame.reformat(format=stored) if here else frame

        monkeypatch.setattr(FrameDecoder, "frames", frames)
        monkeypatch.setattr(frame_filter, "ON_DEVICE", stored)

    def open(self, path: Path, container_format: str) -> InputContainer:
        container = open_input(path, container_format)
        self._opened.append(container)
        return container
