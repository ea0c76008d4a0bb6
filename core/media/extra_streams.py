"""Removes streams that are neither video nor audio from a file, for readers that stumble over them (MoviePy)."""

from __future__ import annotations

from pathlib import Path

import av

from core.errors import DecodeError
from core.media.media_input import demux, file_url, open_input

_TIMECODE_TAG = "timecode"
"""metadata key of a stream, from which the MP4 muxer would make a timecode track again"""


def without_extra_streams(path: Path, copy: Path) -> Path:
    """A file with the first video stream of `path` that has video and audio streams only.

    That is `path` itself where it has no others, such as a timecode track. Else the video stream is copied, without
    encoding it again and without audio, into the MP4 file `copy`, and `copy` is returned.

    Raises:
        DecodeError: `path` cannot be read, or `copy` cannot be written.
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
