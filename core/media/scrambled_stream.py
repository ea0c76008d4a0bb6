"""How much of a stream of an MPEG-TS recording is encrypted, as pay TV is where the receiver could not decode it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import BinaryIO

import av

from core.media.media_input import open_input
from core.types import VideoInfo

_SYNC = 0x47
_PACKET_SIZES = (188, 192, 204)
"""bytes: as transmitted, with a time stamp in front (M2TS), with error correction behind"""
_PROOF_PACKETS = 20
"""so many sync bytes in a row show size and position of the packets"""
_HEAD_BYTES = 65536
_PLACES, _PLACE_PACKETS = 100, 200
"""what is looked at: places spread evenly over the file, and packets at each"""
_PID_MASK, _SCRAMBLING_MASK = 0x1FFF, 0xC0


def scrambled_part(video: VideoInfo) -> float:
    """Share of the video stream that is encrypted, 0 to 1; 0.0 where this cannot be found out."""
    if video.container == "mpegts":
        with contextlib.suppress(av.FFmpegError, OSError, ValueError, IndexError):
            with open_input(video.path, video.container) as container:
                pid = container.streams[video.stream_index].id
            return scrambled_share(video.path, pid)
    return 0.0


def scrambled_share(path: Path, pid: int) -> float:
    """Share of the packets with this identifier whose header says that they are encrypted, 0 to 1; a sample is read.

    path: an MPEG-TS file; 0.0 if it is none.

    Raises:
        OSError: the file cannot be read.
    """
    length = path.stat().st_size
    found = scrambled = 0
    with path.open("rb", buffering=0) as file:
        begin, size = _packets_at(file.read(_HEAD_BYTES))
        if size == 0:
            return 0.0
        count = (length - begin) // size
        step = max(_PLACE_PACKETS, count // _PLACES)
        for number in range(0, count, step):
            for header in _headers(file, begin + number * size, size):
                if header[0] == _SYNC and int.from_bytes(header[1:3], "big") & _PID_MASK == pid:
                    found += 1
                    scrambled += header[3] & _SCRAMBLING_MASK != 0
    return scrambled / found if found else 0.0


def _packets_at(head: bytes) -> tuple[int, int]:
    """Offset of the first packet and the packets' size, bytes; (0, 0) if there are none."""
    for begin in range(min(len(head), max(_PACKET_SIZES))):
        for size in _PACKET_SIZES:
            signs = head[begin : begin + _PROOF_PACKETS * size : size]
            if len(signs) == _PROOF_PACKETS and set(signs) == {_SYNC}:
                return begin, size
    return 0, 0


def _headers(file: BinaryIO, at: int, size: int) -> list[bytes]:
    """The first four bytes of the packets at one place."""
    file.seek(at)
    data = file.read(_PLACE_PACKETS * size)
    return [data[begin : begin + 4] for begin in range(0, len(data) - size + 1, size)]
