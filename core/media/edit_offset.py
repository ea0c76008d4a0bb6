"""Edit lists that begin between two frames, as after cutting an MP4 without encoding it again."""

from __future__ import annotations

import contextlib
import functools
import itertools
from fractions import Fraction
from pathlib import Path

import av

from core.media.media_input import open_input
from core.types import VideoInfo

_MAX_PACKETS = 2000
"""in front of the first that is shown: more than a minute"""
_LONGEST_S = 1
"""more is no part of a frame, but a difference in what libav makes of several edits"""


def edit_offset_s(video: VideoInfo) -> Fraction:
    """By how much libav's times of the frames are too early, s: less than the duration of one frame.

    libav moves the first frame that it shows to the start of the edit, where the frame before would still be visible,
    and all others with it, but not the audio.
    """
    if video.container == "mov":
        with contextlib.suppress(av.FFmpegError, OSError, ValueError, IndexError):
            status = video.path.stat()
            return _offset_s(video.path, video.stream_index, status.st_size, status.st_mtime_ns)
    return Fraction(0)


@functools.lru_cache(maxsize=16)
def _offset_s(path: Path, stream_index: int, size: int, changed_ns: int) -> Fraction:
    with open_input(path) as container:
        stream = container.streams[stream_index]
        first = next(container.demux(stream), None)
        # Frames in front of the edit are decoded, because others refer to them, but not shown.
        if first is None or first.pts is None or not first.is_discard or not stream.time_base:
            return Fraction(0)
        place, shown, time_base = first.pos, first.pts, stream.time_base
    with open_input(path, exact_edits=True) as container:
        for packet in itertools.islice(container.demux(container.streams[stream_index]), _MAX_PACKETS):
            if packet.pos == place and packet.pts is not None:
                offset_s = (packet.pts - shown) * time_base
                return offset_s if 0 < offset_s <= _LONGEST_S else Fraction(0)
    return Fraction(0)
