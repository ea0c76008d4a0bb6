"""The boxes at the top level of MP4 and QuickTime files: where a recording was cut off, and what follows a video."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEAD, _LARGE_HEAD = struct.Struct(">I4s"), struct.Struct(">I4sQ")
_TO_THE_END, _IS_LARGE = 0, 1
"""values of the 32-bit size (ISO/IEC 14496-12, 4.2): the box is the last one; a size of 64 bits follows its type"""
_MIN_SIZE = 16
"""bytes of a box with version and flags and one field"""
_MAX_BOXES = 200_000
"""fragments of a second each for a whole day; a damaged file may pretend to have more"""


@dataclass(frozen=True, slots=True)
class Box:
    """kind: its four letters. begin, end: byte offsets, header included. is_complete: the file reaches `end`."""

    kind: bytes
    begin: int
    end: int
    is_complete: bool


def top_level_boxes(path: Path) -> Iterator[Box]:
    """The boxes in order, up to the first size that cannot be right. Only their headers are read.

    Raises:
        OSError: the file cannot be read.
    """
    length = path.stat().st_size
    begin = 0
    with path.open("rb") as file:
        for _ in range(_MAX_BOXES):
            file.seek(begin)
            head = file.read(_LARGE_HEAD.size)
            if len(head) < _HEAD.size:
                return
            size, kind = _HEAD.unpack_from(head)
            least = _HEAD.size
            if size == _TO_THE_END:
                size = length - begin
            elif size == _IS_LARGE and len(head) == _LARGE_HEAD.size:
                size, least = _LARGE_HEAD.unpack(head)[2], _LARGE_HEAD.size
            if size < least:
                return
            box = Box(kind, begin, begin + size, begin + size <= length)
            yield box
            if not box.is_complete:
                return
            begin = box.end


def children(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the boxes with at least one field between two offsets, up to the first that is damaged."""
    while at + _MIN_SIZE <= end:
        size, kind = _HEAD.unpack_from(data, at)
        if not _MIN_SIZE <= size <= end - at:
            return
        yield kind, at, at + size
        at += size


def end_of_fragments(path: Path) -> int | None:
    """Where the last complete box of a fragmented file ends whose last fragment header is cut off, else None.

    libav refuses such a file as a whole, although every fragment before can be decoded.

    Raises:
        OSError: the file cannot be read.
    """
    has_index = False
    for box in top_level_boxes(path):
        if box.kind == b"moof" and not box.is_complete:
            return box.begin if has_index else None
        has_index |= box.kind == b"moov"
    return None
