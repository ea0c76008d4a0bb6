"""Locating the elements of a Matroska file, to change them in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SEGMENT, CLUSTER, CUES, CUE_POINT, CUE_POSITIONS = 0x18538067, 0x1F43B675, 0x1C53BB6B, 0xBB, 0xB7
BLOCK_GROUP, SIMPLE_BLOCK, BLOCK = 0xA0, 0xA3, 0xA1
CUE_TIME, CUE_CLUSTER, CUE_RELATIVE, VOID = 0xB3, 0xF1, 0xF0, 0xEC
KEY = 0x80
"""flag of a SimpleBlock"""
_PARENTS = (SEGMENT, CLUSTER, CUES, CUE_POINT, CUE_POSITIONS, BLOCK_GROUP)


@dataclass(frozen=True, slots=True)
class Element:
    """identifier: as it is stored, with its length marker. begin: of the element, data: of its content, end: bytes."""

    identifier: int
    begin: int
    data: int
    end: int


def elements(content: bytes | bytearray, begin: int = 0, end: int | None = None) -> Iterator[Element]:
    """All elements in order, each before its children."""
    end = len(content) if end is None else end
    while begin < end:
        width = _width(content[begin])
        size_at = begin + width
        size_width = _width(content[size_at])
        size = int.from_bytes(content[size_at : size_at + size_width], "big") & ((1 << 7 * size_width) - 1)
        data = size_at + size_width
        # All ones: the size is unknown, the element extends to the end.
        stop = end if size == (1 << 7 * size_width) - 1 else data + size
        identifier = int.from_bytes(content[begin:size_at], "big")
        yield Element(identifier, begin, data, stop)
        if identifier in _PARENTS:
            yield from elements(content, data, stop)
        begin = stop


def key_flags(content: bytes | bytearray, track: int = 1) -> list[tuple[int, bool]]:
    """For each SimpleBlock of a track (up to 127): the offset of its flags, and whether they mark a key frame."""
    found = []
    for element in elements(content):
        if element.identifier == SIMPLE_BLOCK and content[element.data] == 0x80 | track:
            at = element.data + 3
            found.append((at, bool(content[at] & KEY)))
    return found


def numbers(content: bytes | bytearray, identifier: int) -> list[tuple[Element, int]]:
    """All elements of a numeric kind, with their values."""
    found = [element for element in elements(content) if element.identifier == identifier]
    return [(element, int.from_bytes(content[element.data : element.end], "big")) for element in found]


def _width(first: int) -> int:
    return 9 - first.bit_length()
