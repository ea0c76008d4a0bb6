"""How much of a stream of an MPEG-TS recording is encrypted, as pay TV is where the receiver could not decode it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import av

from core.media.containers.ts_packets import TsFile, pids
from core.media.media_input import open_input
from core.types import VideoInfo

_PLACES, _PLACE_PACKETS = 100, 200
"""what is looked at: places spread evenly over the file, and packets at each"""
_SCRAMBLING_MASK = 0xC0


def scrambled_part(video: VideoInfo) -> float:
    """Share of the video stream that is encrypted, 0 to 1; 0.0 where this cannot be found out."""
    pid = stream_pid(video)
    with contextlib.suppress(OSError):
        return 0.0 if pid is None else scrambled_share(video.path, pid)
    return 0.0


def stream_pid(video: VideoInfo) -> int | None:
    """Identifier of the packets of the video stream; None if the file is not MPEG-TS, or cannot be read any more."""
    if video.container == "mpegts":
        with (
            contextlib.suppress(av.FFmpegError, OSError, ValueError, IndexError),
            open_input(video.path, video.container) as container,
        ):
            return int(container.streams[video.stream_index].id)
    return None


def scrambled_share(path: Path, pid: int) -> float:
    """Share of the packets with this identifier whose header says that they are encrypted, 0 to 1; a sample is read.

    path: an MPEG-TS file; 0.0 if it is not.

    Raises:
        OSError: the file cannot be read.
    """
    found = scrambled = 0
    with TsFile(path) as file:
        for first in range(0, file.count, max(_PLACE_PACKETS, file.count // _PLACES)):
            packets = file.packets(first, _PLACE_PACKETS)
            own = packets[pids(packets) == pid]
            found += len(own)
            scrambled += int(((own[:, 3] & _SCRAMBLING_MASK) != 0).sum())
    return scrambled / found if found else 0.0
