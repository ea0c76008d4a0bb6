"""The segment index (`sidx`) of a fragmented MP4 file: whether it tells where the fragments really are.

libav seeks by it without a check. If it is wrong, as after cutting or joining a file or adding ads to a stream, reading
on from there leaves out fragments: clips were silent.
"""

from __future__ import annotations

import contextlib
import functools
import struct
from collections.abc import Iterator
from pathlib import Path

from core.media.containers.mp4_boxes import Box, children, top_level_boxes
from core.types import VideoInfo

_MAX_BYTES = 2**24
"""of a box that is read as a whole: an index, the header of the file or of a fragment"""
_TOLERANCE_S = 0.5
"""by which times in the index may differ from those of the fragments: it counts presentation, they count decoding"""
_FIRST_FIELD = 12
"""bytes from the start of a box with version and flags to its first field (ISO/IEC 14496-12, 4.2)"""
_SIDX_32, _SIDX_64 = struct.Struct(">IIIIHH"), struct.Struct(">IIQQHH")
"""track, ticks per second, first time, offset of the first fragment, reserved, number of references (8.16.3)"""
_REFERENCE = struct.Struct(">III")
_SIZE_MASK = 2**31 - 1
_NUMBER, _LONG_NUMBER = struct.Struct(">I"), struct.Struct(">Q")


def has_false_index(video: VideoInfo) -> bool:
    """Whether the video is a fragmented MP4 file whose segment index is wrong. False for files without one."""
    if video.container == "mov":
        with contextlib.suppress(OSError):
            status = video.path.stat()
            return _has_false_index(video.path, status.st_size, status.st_mtime_ns)
    return False


@functools.lru_cache(maxsize=16)
def _has_false_index(path: Path, size: int, changed_ns: int) -> bool:
    boxes = list(top_level_boxes(path))
    indexes = [box for box in boxes if box.kind == b"sidx"]
    if not indexes:
        return False
    try:
        with path.open("rb") as file:

            def content(box: Box) -> bytes:
                file.seek(box.begin)
                return file.read(min(box.end - box.begin, _MAX_BYTES))

            rates = next((_ticks_per_second(content(box)) for box in boxes if box.kind == b"moov"), {})
            fragments = {box.begin: box for box in boxes if box.kind == b"moof" and box.is_complete}
            begins = {box.begin for box in boxes} | {boxes[-1].end}
            for index in indexes:
                track, references = _references(content(index), index.end)
                if any(offset not in begins for offset, _ in references):
                    return True
                for offset, time_s in references[-2:-1]:
                    fragment = _first_from(fragments, offset)
                    ticks = None if fragment is None else _decode_time(content(fragment), track)
                    if ticks is not None and track in rates and abs(ticks / rates[track] - time_s) > _TOLERANCE_S:
                        return True
    except (struct.error, ZeroDivisionError):
        return True
    return False


def _references(index: bytes, anchor: int) -> tuple[int, list[tuple[int, float]]]:
    """Track; byte offset and time in s of each segment, and of the end of the last one.

    anchor: byte offset of the end of the index, from which it counts.
    """
    fields = _SIDX_64 if index[8] else _SIDX_32
    track, rate, time, first, _, count = fields.unpack_from(index, _FIRST_FIELD)
    at, offset = _FIRST_FIELD + fields.size, anchor + first
    found = [(offset, time / rate)]
    for number in range(count):
        size, duration, _ = _REFERENCE.unpack_from(index, at + number * _REFERENCE.size)
        offset, time = offset + (size & _SIZE_MASK), time + duration
        found.append((offset, time / rate))
    return track, found


def _first_from(fragments: dict[int, Box], offset: int) -> Box | None:
    """A segment may begin with other boxes than its first fragment."""
    return fragments.get(min((begin for begin in fragments if begin >= offset), default=-1))


def _decode_time(fragment: bytes, track: int) -> int | None:
    """When a fragment of the track begins, ticks."""
    for kind, begin, end in children(fragment, 8, len(fragment)):
        if kind == b"traf":
            fields = {k: b for k, b, _ in children(fragment, begin + 8, end)}
            if b"tfhd" in fields and b"tfdt" in fields and _number(fragment, fields[b"tfhd"]) == track:
                at = fields[b"tfdt"]
                is_long = fragment[at + 8]
                return int((_LONG_NUMBER if is_long else _NUMBER).unpack_from(fragment, at + _FIRST_FIELD)[0])
    return None


def _ticks_per_second(header: bytes) -> dict[int, int]:
    """By track."""
    found = {}
    for kind, begin, end in children(header, 8, len(header)):
        if kind == b"trak":
            parts = dict(_within(header, begin, end))
            if b"tkhd" in parts and b"mdhd" in parts:
                # Version 1 has two times of 64 bits in front, version 0 two of 32.
                track, media = parts[b"tkhd"], parts[b"mdhd"]
                number = _NUMBER.unpack_from(header, track + _FIRST_FIELD + (16 if header[track + 8] else 8))[0]
                found[number] = _NUMBER.unpack_from(header, media + _FIRST_FIELD + (16 if header[media + 8] else 8))[0]
    return found


def _within(data: bytes, begin: int, end: int) -> Iterator[tuple[bytes, int]]:
    for kind, at, stop in children(data, begin + 8, end):
        yield kind, at
        if kind == b"mdia":
            yield from _within(data, at, stop)


def _number(data: bytes, begin: int) -> int:
    return int(_NUMBER.unpack_from(data, begin + _FIRST_FIELD)[0])
