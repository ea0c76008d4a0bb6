"""A video without the other tracks of its file, for readers that stumble over these."""

from __future__ import annotations

from pathlib import Path

import av

from core.errors import DecodeError
from core.media.media_input import demux, file_url, open_input

_TIMECODE_TAG = "timecode"
"""of a stream; the muxer would make a timecode track of it"""


def video_alone(path: Path, copy: Path) -> Path:
    """`path` if the file has video and audio only, else `copy`, an MP4 file with the same frames, which is written.

    Raises:
        DecodeError: the file cannot be read, or the copy not be written.
    """
    try:
        with open_input(path) as source:
            if all(stream.type in ("video", "audio") for stream in source.streams):
                return path
            stream = source.streams.video[0]
            with av.open(file_url(copy), "w", format="mp4") as target:
                own = target.add_stream_from_template(stream)
                own.metadata.pop(_TIMECODE_TAG, None)
                for packet in demux(source, stream):
                    if packet.dts is not None:  # the last, empty one
                        packet.stream = own
                        target.mux(packet)
    except (av.FFmpegError, OSError, IndexError) as error:
        raise DecodeError(f"cannot be copied: {error}", path=path, stage="reel") from error
    return copy
