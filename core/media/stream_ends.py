"""Where the streams of a file end, whatever its header says."""

from __future__ import annotations

import contextlib

import av

from core.media.media_input import open_input
from core.types import VideoInfo

_TAIL_S = 30
"""read before the claimed end; a stream that ends sooner does not reach it"""


def other_streams_end_s(info: VideoInfo) -> float:
    """When the last packet of any stream but the video's ends, s on the container's clock; 0.0 where there is none."""
    end_s = 0.0
    with (
        contextlib.suppress(av.FFmpegError, OSError, ValueError, IndexError),
        open_input(info.path, info.container) as container,
    ):
        tail_s = info.duration_s - _TAIL_S
        if tail_s > 0:
            with contextlib.suppress(av.FFmpegError, OSError):
                container.seek(round(tail_s * av.time_base))
        others = [stream for stream in container.streams if stream.index != info.stream_index]
        for packet in container.demux(others) if others else ():
            if packet.pts is not None and packet.time_base is not None:
                end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return end_s
