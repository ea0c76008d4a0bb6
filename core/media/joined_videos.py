"""Files in which one video follows another: concatenated byte by byte, of which libav reads only the first."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from core.media.mp4_boxes import top_level_boxes

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_OBJECT = struct.Struct("<16sQ")
"""identifier and size of each object, this head included (Advanced Systems Format, 2.1)"""
_FLV_SIGNATURE, _FLV_HEAD_SIZE = b"FLV", struct.Struct(">I")
_FLV_TAG_HEAD, _FLV_BACK_LINK = 11, 4
"""bytes before and behind the payload of a tag (FLV specification, annex E.3 and E.4.1)"""
_MAX_PIECES = 500_000
"""objects or tags that are looked at; an hour of FLV has 400 000"""


def next_video_at(path: Path, container: str) -> int | None:
    """Byte offset of a video behind the first one, None if there is none.

    container: `VideoInfo.container`. MP4, QuickTime, ASF and FLV are looked at: of Matroska, AVI, MPEG-TS and MPEG-PS,
    libav reads what follows as well.

    Raises:
        OSError: the file cannot be read.
    """
    if container == "mov":
        return _second_index(path)
    walk = {"asf": _second_asf, "flv": _second_flv}.get(container)
    if walk is None:
        return None
    with path.open("rb", buffering=0) as file:
        return walk(file)


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
