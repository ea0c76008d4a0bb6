"""Ways to damage a video file, as functions of its bytes and a random generator."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

Damage = Callable[[bytearray, random.Random], bytes | bytearray]

_EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 16000, 1_000_000, 25_000_000)
"""values that are written into header fields"""


def truncated(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(1, len(data))]


def truncated_in_the_head(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(1, min(3000, len(data)))]


def bytes_flipped(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 10, 100, 1000))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def block_replaced(data: bytearray, rng: random.Random) -> bytearray:
    begin, length = _range(data, rng)
    data[begin : begin + length] = rng.randbytes(length)
    return data


def range_zeroed(data: bytearray, rng: random.Random) -> bytearray:
    begin, length = _range(data, rng)
    data[begin : begin + length] = bytes(length)
    return data


def block_lost(data: bytearray, rng: random.Random) -> bytearray:
    begin, length = _range(data, rng)
    del data[begin : begin + length]
    return data


def block_moved(data: bytearray, rng: random.Random) -> bytearray:
    begin, length = _range(data, rng)
    block = data[begin : begin + length]
    del data[begin : begin + length]
    target = rng.randrange(len(data) + 1)
    data[target:target] = block
    return data


def head_flipped(data: bytearray, rng: random.Random) -> bytearray:
    """Change bytes in the first and last 2000, where indexes and headers are."""
    for _ in range(rng.choice((1, 3, 10, 40))):
        at = rng.randrange(min(2000, len(data)))
        data[at if rng.random() < 0.5 else -1 - at] = rng.randrange(256)
    return data


ANYWHERE: dict[str, tuple[Damage, int]] = {
    "truncated": (truncated, 14),
    "truncated in the head": (truncated_in_the_head, 4),
    "bytes flipped": (bytes_flipped, 16),
    "block replaced": (block_replaced, 10),
    "range zeroed": (range_zeroed, 10),
    "block lost": (block_lost, 5),
    "block moved": (block_moved, 5),
    "head flipped": (head_flipped, 14),
}
"""damage by name, with the number of files per container in a full campaign"""


def header_fields(extension: str, data: bytes) -> Iterator[tuple[str, int, int, str]]:
    """(name, offset, bytes, byte order) of known fields: sizes, rates, durations, counts."""
    if extension in ("mp4", "mov"):
        for atom, fields in _MP4_FIELDS.items():
            at = data.find(atom)
            while at >= 0:
                yield from ((f"{atom.decode()} {name}", at + 4 + offset, size, "big") for name, offset, size in fields)
                at = data.find(atom, at + 4)
    elif extension == "avi":
        for tag, fields in _AVI_FIELDS.items():
            at = data.find(tag)
            while 0 <= at < 5000:
                yield from (
                    (f"{tag.decode()} {name}", at + 8 + offset, size, "little") for name, offset, size in fields
                )
                at = data.find(tag, at + 4)
    elif extension in ("mkv", "webm"):
        for name, element in _EBML_FIELDS.items():
            at = data.find(element)
            if 0 <= at < 3000:
                size = data[at + len(element)] & 0x7F
                if 0 < size <= 8:
                    yield name, at + len(element) + 1, size, "big"
    else:
        for packet in range(min(len(data) // 188, 60)):
            yield f"packet {packet} pid", 188 * packet + 1, 2, "big"
            yield f"packet {packet} adaptation", 188 * packet + 4, 4, "big"
            yield f"packet {packet} start of payload", 188 * packet + 12, 4, "big"
        sequence = data.find(b"\x00\x00\x01\xb3")
        if sequence >= 0:
            yield "mpeg2 size and rate", sequence + 4, 4, "big"


def field_swapped(data: bytearray, rng: random.Random, field: tuple[str, int, int, str]) -> bytearray:
    """Set one field to an extreme value; fields of 4 or 8 bytes may get an extreme float instead."""
    _, at, size, order = field
    if size in (4, 8) and rng.random() < 0.15:
        value = rng.choice((float("nan"), float("inf"), -1.0, 1e300 if size == 8 else 1e30))
        data[at : at + size] = struct.pack(">d" if size == 8 else ">f", value)
        return data
    value = rng.choice(_EXTREMES) & (256**size - 1)
    data[at : at + size] = value.to_bytes(size, "big" if order == "big" else "little")
    return data


def _range(data: bytearray, rng: random.Random) -> tuple[int, int]:
    length = min(rng.choice((16, 256, 1024, 4096, 20_000)), len(data) // 2)
    return rng.randrange(len(data) - length), length


_MP4_FIELDS: dict[bytes, tuple[tuple[str, int, int], ...]] = {
    b"mvhd": (("timescale", 12, 4), ("duration", 16, 4)),
    b"tkhd": (("duration", 20, 4), ("matrix", 40, 4), ("width", 76, 4), ("height", 80, 4)),
    b"elst": (("count", 4, 4), ("duration", 8, 4), ("media time", 12, 4)),
    b"mdhd": (("timescale", 12, 4), ("duration", 16, 4)),
    b"stsd": (("count", 4, 4), ("size", 8, 4), ("codec", 12, 4), ("width", 40, 2), ("height", 42, 2)),
    b"stts": (("count", 4, 4), ("samples", 8, 4), ("delta", 12, 4)),
    b"ctts": (("count", 4, 4), ("offset", 12, 4)),
    b"stss": (("count", 4, 4), ("sample", 8, 4)),
    b"stsc": (("count", 4, 4), ("per chunk", 12, 4)),
    b"stsz": (("size", 4, 4), ("count", 8, 4), ("first", 12, 4)),
    b"stco": (("count", 4, 4), ("first", 8, 4)),
    b"mp4a": (("channels", 16, 2), ("rate", 24, 4)),
    b"avcC": (("profile", 0, 4), ("parameters", 5, 4), ("sps", 8, 4)),
}
"""fields by atom; offsets count from the end of the atom's name"""
_AVI_FIELDS: dict[bytes, tuple[tuple[str, int, int], ...]] = {
    b"avih": (("period", 0, 4), ("frames", 16, 4), ("streams", 24, 4), ("width", 32, 4), ("height", 36, 4)),
    b"strh": (("type", 0, 4), ("codec", 4, 4), ("scale", 20, 4), ("rate", 24, 4), ("start", 28, 4), ("length", 32, 4)),
    b"strf": (("width", 4, 4), ("height", 8, 4), ("bits", 14, 2), ("compression", 16, 4)),
}
_EBML_FIELDS = {
    "time scale": b"\x2a\xd7\xb1",
    "duration": b"\x44\x89",
    "default duration": b"\x23\xe3\x83",
    "width": b"\xb0",
    "height": b"\xba",
    "shown width": b"\x54\xb0",
    "shown height": b"\x54\xba",
    "track type": b"\x83",
    "track number": b"\xd7",
    "sampling rate": b"\xb5",
    "channels": b"\x9f",
    "codec delay": b"\x56\xaa",
    "cluster": b"\xe7",
}
