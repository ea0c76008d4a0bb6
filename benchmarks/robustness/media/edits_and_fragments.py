"""Edit lists and fragments of MP4 files: what is shown when, and pieces that are missing, doubled or at wrong times."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from benchmarks.robustness.media.atoms import Atom, atoms, edit_list, find, replaced
from benchmarks.robustness.media.case import Expected, MediaCase
from benchmarks.robustness.media.film import H264, RATE, STEREO_AAC, Film, plain_video, tone_hz

KIND = "edits and fragments"
FRAMES = 96
GOP = 12
CODED = (*H264, "-g", str(GOP), "-sc_threshold", "0", *STEREO_AAC)
FRAGMENTS = ("-movflags", "frag_keyframe+empty_moov+default_base_moof")
TONES = (tone_hz(0), tone_hz(1))
TO_THE_END = 0
"""a duration of 0, as many programs write it"""
EMPTY = -1
"""in place of the first frame: nothing is shown"""
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Edit:
    """first: frame that it begins with, or `EMPTY`. frames: how many it shows."""

    first: int
    frames: int


EDITS: dict[str, tuple[Sequence[Edit], int]] = {
    "from a frame without a key": ((Edit(32, 64),), 64),
    "up to the middle": ((Edit(0, 48),), 48),
    "the same twice": ((Edit(0, 32), Edit(0, 32)), 64),
    "parts at key frames": ((Edit(0, 48), Edit(64 - 64 % GOP, 36)), 84),
    "one for each frame": (tuple(Edit(i, 1) for i in range(FRAMES)), FRAMES - GOP),
    "no length": ((Edit(0, TO_THE_END),), FRAMES),
    "late and no length": ((Edit(EMPTY, 16), Edit(0, TO_THE_END)), FRAMES),
}
"""edits of both tracks, and frames that they show at least"""

Boxes = list[tuple[bytes, bytes]]
"""kind and content, header included"""
PIECES: dict[str, tuple[Callable[[Boxes], Boxes], bool]] = {
    "a gap": (lambda boxes: _without_pair(boxes, 3), False),
    "one twice": (lambda boxes: boxes[: _pair(boxes, 4)] + boxes[_pair(boxes, 3) :], True),
    "two changed round": (lambda boxes: _swapped(boxes, 3), False),
    "media of one lost": (lambda boxes: boxes[: _pair(boxes, 3) + 1] + boxes[_pair(boxes, 3) + 2 :], False),
    "all at 0": (lambda boxes: _timed(boxes, lambda number, time, rate: 0), False),
    "from 20 hours on": (lambda boxes: _timed(boxes, lambda number, time, rate: time + 20 * HOUR_S * rate), True),
    "a leap of 2 hours": (
        lambda boxes: _timed(boxes, lambda number, time, rate: time + (number > 3) * 2 * HOUR_S * rate),
        True,
    ),
}
"""changes of the boxes of a fragmented file, and whether all frames are there"""


def cases(folder: Path) -> Iterator[MediaCase]:
    for number, (name, (edits, shown)) in enumerate(EDITS.items()):
        # Different films: files with the same content are treated as one video.
        film = Film(frames=FRAMES + number)
        skipped = sum(max(0, after.first - edit.first - edit.frames) for edit, after in pairwise(edits))
        expected = Expected(frames=shown, tones=TONES, is_steady=len(edits) == 1, gaps=skipped + 2 * len(edits))
        yield _case(folder, f"edit {name}", expected, partial(_edited, film=film, edits=edits))
    for number, (name, (change, is_whole)) in enumerate(PIECES.items()):
        film = Film(frames=FRAMES + number)
        expected = Expected(
            frames=FRAMES if is_whole else FRAMES - GOP,
            tones=TONES[:1],
            gaps=0 if is_whole else 2 * GOP,
            is_steady=False,
            is_timed=False,
        )
        yield _case(folder, f"fragments, {name}", expected, partial(_in_pieces, film=film, change=change))


def _edited(path: Path, film: Film, edits: Sequence[Edit]) -> None:
    data = _written(path, film, CODED)
    ticks = struct.unpack_from(">I", data, find(data, b"mvhd").begin + 20)[0]
    for handler in (b"vide", b"soun"):
        media = struct.unpack_from(">I", data, find(data, b"mdhd", handler).begin + 20)[0]
        old = find(data, b"elst", handler)
        # The first presentation time after the encoder's delay.
        (start,) = struct.unpack_from(">i", data, old.begin + 20)
        rows = [
            (round(e.frames * ticks / RATE), EMPTY if e.first == EMPTY else start + round(e.first * media / RATE))
            for e in edits
        ]
        data = replaced(data, old, edit_list(rows))
    path.write_bytes(data)


def _in_pieces(path: Path, film: Film, change: Callable[[Boxes], Boxes]) -> None:
    data = _written(path, film, (*CODED, *FRAGMENTS))
    boxes = [(atom.kind, data[atom.begin : atom.end]) for atom in atoms(data) if not atom.parents]
    path.write_bytes(b"".join(content for _, content in change(boxes)))


def _written(path: Path, film: Film, options: Sequence[str]) -> bytes:
    plain_video(path.parent, path, film, *options)
    path.with_suffix(".s16").unlink()
    return path.read_bytes()


def _pair(boxes: Boxes, number: int) -> int:
    """Index of the header of a fragment; its media is next to it."""
    return [i for i, (kind, _) in enumerate(boxes) if kind == b"moof"][number]


def _without_pair(boxes: Boxes, number: int) -> Boxes:
    at = _pair(boxes, number)
    return boxes[:at] + boxes[at + 2 :]


def _swapped(boxes: Boxes, number: int) -> Boxes:
    first, second, after = (_pair(boxes, number + i) for i in range(3))
    return boxes[:first] + boxes[second:after] + boxes[first:second] + boxes[after:]


def _timed(boxes: Boxes, time: Callable[[int, int, int], int]) -> Boxes:
    """time: from the number of a fragment, its time and the ticks per second of its track to its new time."""
    index = next(content for kind, content in boxes if kind == b"moov")
    rates = [struct.unpack_from(">I", index, atom.begin + 20)[0] for atom in atoms(index) if atom.kind == b"mdhd"]
    changed: Boxes = []
    number = 0
    for kind, content in boxes:
        if kind == b"moof":
            fragment = bytearray(content)
            for atom in _times_in(fragment):
                track = struct.unpack_from(">I", fragment, fragment.rindex(b"tfhd", 0, atom.begin) + 8)[0]
                old = struct.unpack_from(">Q", fragment, atom.begin + 12)[0]
                struct.pack_into(">Q", fragment, atom.begin + 12, time(number, old, rates[track - 1]))
            content, number = bytes(fragment), number + 1
        changed.append((kind, content))
    return changed


def _times_in(fragment: bytearray) -> Iterator[Atom]:
    at = fragment.find(b"tfdt")
    while at >= 0:
        yield Atom(b"tfdt", at - 4, at + 16)
        at = fragment.find(b"tfdt", at + 1)


def _case(folder: Path, name: str, expected: Expected, write: Callable[[Path], object]) -> MediaCase:
    path = folder / f"{name.replace(', ', '_').replace(' ', '_')}.mp4"
    return MediaCase(KIND, name, path, expected, write)
