"""Videos whose container marks the wrong frames as key frames, by changes to `stss` and to Matroska's flags."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

_CONTAINING = {0x18538067, 0x1F43B675}
"""Matroska's Segment and Cluster"""
_SIMPLE_BLOCK = 0xA3
_KEY = 0x80


def without_stss(path: Path) -> None:
    """Rename the sync sample table: without one every frame counts as a key frame."""
    data = path.read_bytes()
    assert data.count(b"stss") == 1
    path.write_bytes(data.replace(b"stss", b"free"))


def with_stss(path: Path, frames: Sequence[int]) -> None:
    """List these frames (from 0, increasing) in the sync sample table; their number must stay the same."""
    data = bytearray(path.read_bytes())
    at = data.index(b"stss") + 8
    (count,) = struct.unpack_from(">I", data, at)
    assert count == len(frames)
    struct.pack_into(f">{count}I", data, at + 4, *(number + 1 for number in frames))
    path.write_bytes(data)


def with_matroska_flags(path: Path, *, key: bool) -> None:
    """Have all SimpleBlocks say that they are key frames, or that none is."""
    data = bytearray(path.read_bytes())
    blocks = list(_simple_blocks(data, 0, len(data)))
    assert len(blocks) > 1
    for at in blocks:
        flags = at + 3  # behind the track's number, one byte, and the time, two
        data[flags] = data[flags] | _KEY if key else data[flags] & ~_KEY
    path.write_bytes(data)


def _simple_blocks(data: bytearray, start: int, end: int) -> Iterator[int]:
    """Where the contents of the SimpleBlocks in [start, end) begin."""
    while start < end:
        element, start = _number(data, start, keep_marker=True)
        size, start = _number(data, start, keep_marker=False)
        if element == _SIMPLE_BLOCK:
            yield start
        elif element in _CONTAINING:
            yield from _simple_blocks(data, start, start + size)
        start += size


def _number(data: bytearray, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """An EBML number of one to eight bytes, and where it ends."""
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    return (value if keep_marker else value & ((1 << 7 * length) - 1)), at + length
