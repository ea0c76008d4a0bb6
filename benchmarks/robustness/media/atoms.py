"""Editing the atoms of a QuickTime or MP4 file whose index comes after its media, so that no offset changes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts")
ENTRY_HEAD = {0: 36, 1: 52, 2: 72}
"""bytes of an audio sample entry before its atoms, by version"""
_ELEMENT_COUNTS = (26, 30, 34)
"""bit offsets of the counts of front, side and back elements in an AAC configuration"""
USE_DESCRIPTIONS = 0
"""channel layout tag: the channels are labelled one by one"""

# Channel labels (Apple, CoreAudioBaseTypes.h).
UNUSED, LEFT, RIGHT, CENTRE, LFE, LEFT_SURROUND, RIGHT_SURROUND = 0, 1, 2, 3, 4, 5, 6
LEFT_CENTRE, RIGHT_CENTRE, CENTRE_SURROUND, LEFT_SIDE, RIGHT_SIDE = 7, 8, 9, 10, 11
TOP_CENTRE, TOP_LEFT, TOP_MIDDLE, TOP_RIGHT = 12, 13, 14, 15
LEFT_TOTAL, RIGHT_TOTAL, MONO, COORDINATES = 38, 39, 42, 100
AMBISONIC_W, MID, SIDE, HEADPHONES_LEFT, HEADPHONES_RIGHT = 200, 204, 205, 301, 302
DISCRETE_0, HOA_0, UNKNOWN = 1 << 16, 2 << 16, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Atom:
    """kind: four letters. begin, end: byte offsets, header included. parents: offsets of the enclosing atoms, outermost
    first."""

    kind: bytes
    begin: int
    end: int
    parents: tuple[int, ...] = ()


def atoms(
    data: bytes | bytearray, begin: int = 0, end: int | None = None, parents: tuple[int, ...] = ()
) -> Iterator[Atom]:
    """All atoms in order, each before its children."""
    end = len(data) if end is None else end
    while begin + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, begin)
        if size == 1:
            size = struct.unpack_from(">Q", data, begin + 8)[0]
        if size < 8:
            return
        yield Atom(bytes(kind), begin, begin + size, parents)
        if kind in CONTAINERS:
            yield from atoms(data, begin + 8, begin + size, (*parents, begin))
        begin += size


def find(data: bytes | bytearray, kind: bytes, handler: bytes = b"") -> Atom:
    """The first atom of a kind. handler: in the first track of this type, "vide" or "soun".

    Raises:
        ValueError: there is none.
    """
    within = [(0, len(data))]
    if handler:
        tracks = [atom for atom in atoms(data) if atom.kind == b"trak"]
        within = [(t.begin, t.end) for t in tracks if data[find_in(data, b"hdlr", t).begin + 16 :][:4] == handler]
    for atom in atoms(data):
        if atom.kind == kind and within and within[0][0] <= atom.begin < within[0][1]:
            return atom
    raise ValueError(f"no {kind.decode()} atom")


def find_in(data: bytes | bytearray, kind: bytes, around: Atom) -> Atom:
    """Raises: ValueError if `around` has no child of this kind."""
    for atom in atoms(data):
        if atom.kind == kind and around.begin <= atom.begin < around.end:
            return atom
    raise ValueError(f"no {kind.decode()} atom in {around.kind.decode()}")


def replaced(data: bytes, old: Atom, new: bytes) -> bytes:
    """The file with `old` replaced by `new`; the sizes of the enclosing atoms are adjusted.

    Raises:
        ValueError: media comes after it, whose offsets would be wrong.
    """
    changed = bytearray(data)
    grown = len(new) - (old.end - old.begin)
    if grown and any(atom.kind == b"mdat" and atom.begin > old.begin for atom in atoms(data)):
        raise ValueError("the index comes before the media")
    for parent in old.parents:
        size = struct.unpack_from(">I", changed, parent)[0]
        struct.pack_into(">I", changed, parent, size + grown)
    changed[old.begin : old.end] = new
    return bytes(changed)


def without(data: bytes, kind: bytes, handler: bytes = b"vide") -> bytes:
    """The file without the first atom of a kind."""
    return replaced(data, find(data, kind, handler), b"")


def table(kind: bytes, rows: Sequence[Sequence[int]]) -> bytes:
    """An atom made of a count and rows of 32-bit numbers: stss, stts, ctts."""
    content = b"".join(struct.pack(f">{len(row)}i", *row) for row in rows)
    return struct.pack(">I4sII", 16 + len(content), kind, 0, len(rows)) + content


def edit_list(rows: Sequence[tuple[int, int]]) -> bytes:
    """An `elst` atom. rows: duration in ticks of the film, first time in ticks of the track or -1."""
    return table(b"elst", [(duration, time, 1 << 16) for duration, time in rows])


def rows_of(data: bytes, atom: Atom, columns: int) -> list[tuple[int, ...]]:
    """What `table` writes."""
    count = struct.unpack_from(">I", data, atom.begin + 12)[0]
    return [struct.unpack_from(f">{columns}i", data, atom.begin + 16 + 4 * columns * i) for i in range(count)]


def with_table(
    data: bytes, kind: bytes, columns: int, change: Callable[[list[tuple[int, ...]]], Sequence[Sequence[int]]]
) -> bytes:
    """The file with changed rows in a table of its first video track."""
    atom = find(data, kind, b"vide")
    return replaced(data, atom, table(kind, change(rows_of(data, atom, columns))))


def channel_atom(labels: Sequence[int], tag: int = USE_DESCRIPTIONS) -> bytes:
    """A `chan` atom that describes one channel after the other."""
    described = b"".join(struct.pack(">II3f", label, 0, 0.0, 0.0, 0.0) for label in labels)
    return struct.pack(">I4sIIII", 24 + len(described), b"chan", 0, tag, 0, len(labels)) + described


def with_channels(data: bytes, labels: Sequence[int], tag: int = USE_DESCRIPTIONS) -> bytes:
    """The file with this `chan` atom in the first sample entry of its first audio track, replacing any there."""
    stsd = find(data, b"stsd", b"soun")
    begin = stsd.begin + 16
    size = struct.unpack_from(">I", data, begin)[0]
    version = struct.unpack_from(">H", data, begin + 16)[0]
    head = ENTRY_HEAD[version]
    inner = [atom for atom in atoms(data, begin + head, begin + size) if atom.kind != b"chan"]
    content = data[begin + 4 : begin + head] + b"".join(data[atom.begin : atom.end] for atom in inner)
    content += channel_atom(labels, tag)
    entry = struct.pack(">I", 4 + len(content)) + content
    rest = data[begin + size : stsd.end]
    new = struct.pack(">I", 16 + len(entry) + len(rest)) + data[stsd.begin + 4 : begin] + entry + rest
    return replaced(data, stsd, new)


def with_elements(data: bytes, front: int, side: int, back: int) -> bytes:
    """The file with its AAC elements in other places, as told by its program config element (ISO 14496-3).

    Raises:
        ValueError: there are not so many elements, or their places are told by a number.
    """
    begin = data.index(b"\x05\x80\x80\x80", data.index(b"esds")) + 5
    length = data[begin - 1]
    config = int.from_bytes(data[begin : begin + length], "big")
    shifts = [8 * length - first - 4 for first in _ELEMENT_COUNTS]
    if config >> (8 * length - 13) & 0xF or sum(config >> shift & 0xF for shift in shifts) != front + side + back:
        raise ValueError("no programme config element with so many elements")
    for shift, count in zip(shifts, (front, side, back), strict=True):
        config = config & ~(0xF << shift) | count << shift
    return data[:begin] + config.to_bytes(length, "big") + data[begin + length :]
