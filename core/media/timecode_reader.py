"""The timecode that a file was recorded with.

MOV and MP4 have it in a track of its own (tmcd), MXF in its header, DV in every frame, Matroska as a tag; libav turns
each into metadata called `timecode`. It is read when results are written and not when a video is probed, because no
analysis depends on it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from fractions import Fraction

import av
from av.container import InputContainer

from core.media.media_input import open_input
from core.types import SourceTimecode, VideoInfo
from utils.console.printable_text import ascii_safe
from utils.time_formats import parse_timecode, timecode_base

logger = logging.getLogger(__name__)

_KEY = "timecode"
_DROP_FRAME_MARKS = (";", ".", ",")
"""before the frames of drop-frame timecode; all are in use"""
_DROP_FRAME_RATE = Fraction(30000, 1001)
"""drop-frame timecode is defined for this rate and its multiples only (SMPTE ST 12-1); libav refuses it elsewhere"""


def read_timecode(info: VideoInfo) -> SourceTimecode | None:
    """The timecode of the first frame of `info`, counted at its nominal rate.

    None where the file has none, or one that does not fit the rate, and where it cannot be read any more.
    """
    try:
        with open_input(info.path, info.container) as container:
            texts = list(_texts(container, info.stream_index))
    except (av.FFmpegError, OSError, ValueError) as error:
        logger.debug("%s: its timecode cannot be read: %s", ascii_safe(info.path.name), error)
        return None
    for text in texts:
        found = to_timecode(text, info.frame_rate)
        if found is not None:
            return found
        logger.debug("%s: no timecode at %s frames/s: %r", ascii_safe(info.path.name), info.frame_rate, text)
    return None


def to_timecode(text: str, rate: Fraction) -> SourceTimecode | None:
    """The timecode that a file states as `text`, of frames at `rate` per second; None where these do not fit."""
    base = timecode_base(rate)
    text = text.strip()
    drop_frame = text[-3:-2] in _DROP_FRAME_MARKS and (rate / _DROP_FRAME_RATE).denominator == 1
    try:
        return SourceTimecode(parse_timecode(text, base, drop_frame=drop_frame), base, drop_frame)
    except ValueError:
        return None


def _texts(container: InputContainer, stream_index: int) -> Iterator[str]:
    """What the file says of its timecode: that of the video stream first, then the file's, then other streams'."""
    streams = sorted(container.streams, key=lambda stream: stream.index != stream_index)
    if streams and streams[0].index == stream_index:
        yield from _values(streams[0].metadata)
    yield from _values(container.metadata)
    for stream in streams:
        if stream.index != stream_index:
            yield from _values(stream.metadata)


def _values(metadata: Mapping[str, str]) -> Iterator[str]:
    # Matroska's tags are in capitals.
    yield from (value for key, value in metadata.items() if key.lower() == _KEY)
