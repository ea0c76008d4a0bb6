"""Files in which one video follows another: concatenated byte by byte, or a broadcast that goes on in another stream.

libav reads only the first.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from core.media.containers.mp4_boxes import top_level_boxes
from core.media.containers.ts_packets import TsFile, pids
from core.types import ByteArray

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_OBJECT = struct.Struct("<16sQ")
"""identifier and size of each object, this head included (Advanced Systems Format, 2.1)"""
_FLV_SIGNATURE, _FLV_HEAD_SIZE = b"FLV", struct.Struct(">I")
_FLV_TAG_HEAD, _FLV_BACK_LINK = 11, 4
"""bytes before and behind the payload of a tag (FLV specification, annex E.3 and E.4.1)"""
_TAIL_PACKETS, _TAIL_PART = 20_000, 20
"""of MPEG-TS: the last packets of a file, among which some of the video should be: a second or two of most broadcasts,
and a part of short files"""
_TS_HEAD, _UNIT_START, _HAS_FIELD = 4, 0x40, 0x20
_START_CODE, _VIDEO_STREAMS = b"\0\0\1", range(0xE0, 0xF0)
_MAX_PIECES = 500_000
"""objects or tags that are looked at; an hour of FLV has 400 000"""


def next_video_at(path: Path, container: str, pid: int | None = None) -> int | None:
    """Byte offset of a video behind the first one, None if there is none.

    container: `VideoInfo.container`. MP4, QuickTime, ASF, FLV and MPEG-TS are looked at: of Matroska, AVI and MPEG-PS,
    libav reads what follows as well. pid: of the video stream if it is MPEG-TS, where libav reads no later stream.

    Raises:
        OSError: the file cannot be read.
    """
    if pid is not None:
        with TsFile(path) as broadcast:
            return _later_stream(broadcast, pid)
    if container == "mov":
        return _second_index(path)
    walk = {"asf": _second_asf, "flv": _second_flv}.get(container)
    if walk is None:
        return None
    with path.open("rb", buffering=0) as file:
        return walk(file)


def _later_stream(file: TsFile, pid: int) -> int | None:
    """Where the packets of the stream `pid` end, if those of another video stream end the file."""
    piece = max(1, min(_TAIL_PACKETS, file.count // _TAIL_PART))
    first, last = 0, file.count // piece - 1
    if last < 1 or _last_of(file, last * piece, 2 * piece, pid) is not None:
        return None
    if not _holds_video(file.packets(last * piece, 2 * piece)):
        return None
    while last - first > 1:
        middle = (first + last) // 2
        if _last_of(file, middle * piece, piece, pid) is None:
            last = middle
        else:
            first = middle
    end = _last_of(file, first * piece, 2 * piece, pid)
    return None if end is None else file.begin + (end + 1) * file.size


def _last_of(file: TsFile, first: int, count: int, pid: int) -> int | None:
    """Number of the last packet of a stream among some."""
    found = (pids(file.packets(first, count)) == pid).nonzero()[0]
    return first + int(found[-1]) if found.size else None


def _holds_video(packets: ByteArray) -> bool:
    """Whether an access unit of a video stream begins in one of the packets (ISO/IEC 13818-1, 2.4.3.6)."""
    starts = packets[(packets[:, 1] & _UNIT_START) != 0]
    # An adaptation field, whose length is its first byte, comes before the payload.
    has_field = (starts[:, 3] & _HAS_FIELD) != 0
    at = _TS_HEAD + has_field * (1 + starts[:, _TS_HEAD].astype(int))
    heads = [bytes(packet[begin : begin + 4]) for packet, begin in zip(starts, at, strict=True)]
    return any(head[:3] == _START_CODE and head[3] in _VIDEO_STREAMS for head in heads if len(head) == 4)


def _second_index(path: Path) -> int | None:
    """Where a second `moov` begins, or the file type in front of it."""
    has_index = False
    type_at: int | None = None
    for box in top_level_boxes(path):
        if box.kind == b"moov" and has_index:
            return box.begin if type_at is None else type_at
        if box.kind == b"moov":
            has_index = True
        elif box.kind == b"ftyp" and has_index:
            type_at = box.begin
    return None


def _second_asf(file: BinaryIO) -> int | None:
    at, length = 0, os.fstat(file.fileno()).st_size
    for _ in range(_MAX_PIECES):
        if at > length:  # a damaged size can be beyond what `seek` takes
            return None
        file.seek(at)
        head = file.read(_ASF_OBJECT.size)
        if len(head) < _ASF_OBJECT.size:
            return None
        identifier, size = _ASF_OBJECT.unpack(head)
        if at and identifier == _ASF_HEADER:
            return at
        if size < _ASF_OBJECT.size:
            return None
        at += size
    return None


def _second_flv(file: BinaryIO) -> int | None:
    head = file.read(9)
    if len(head) < 9:
        return None
    at = _FLV_HEAD_SIZE.unpack_from(head, 5)[0] + _FLV_BACK_LINK
    for _ in range(_MAX_PIECES):
        file.seek(at)
        head = file.read(_FLV_TAG_HEAD)
        if len(head) < _FLV_TAG_HEAD:
            return None
        if head.startswith(_FLV_SIGNATURE):
            return int(at)
        at += _FLV_TAG_HEAD + int.from_bytes(head[1:4], "big") + _FLV_BACK_LINK
    return None
