"""Where the streams of a file really end, regardless of its header."""

from __future__ import annotations

import contextlib

import av

from core.media.media_input import open_input
from core.types import VideoInfo

_TAIL_S = 30
"""how much before the claimed end is read; streams that end before that are not seen"""


def other_streams_end_s(info: VideoInfo) -> float:
    """End of the last packet of all streams but the video, s on the container's clock; 0.0 if there is none."""
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
