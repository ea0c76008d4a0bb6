"""Wrong indexes: key frames that are none, wrong times, wrong positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.robustness.media import ebml
from benchmarks.robustness.media.atoms import find, replaced, table, with_table, without
from benchmarks.robustness.media.case import Expected, MediaCase
from benchmarks.robustness.media.film import H264, MPEG4, STEREO_AAC, Film, plain_video, tone_hz

KIND = "lying indexes"
FILM = Film(frames=136, absent=96)
"""The person appears so late that the program seeks instead of decoding everything before it again."""
SEEN = FILM.frames - FILM.absent
LONG_GOP = ("-g", "250", "-keyint_min", "250", "-sc_threshold", "0")
SHORT_GOP = ("-g", "12", "-sc_threshold", "0")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M")
CLUSTERS = ("-cluster_time_limit", "600")

Change = Callable[[bytes], bytes]


def cases(folder: Path) -> Iterator[MediaCase]:
    for codec, options in (("h264", H264), ("mpeg4", (*MPEG4, "-bf", "0"))):
        for name, change in SYNC_TABLES.items():
            for gop, keys in (("one key frame", LONG_GOP), ("a key frame in 12", SHORT_GOP)):
                if name in ("none", "every frame") or gop != "one key frame":
                    yield _case(folder, f"stss {name}, {codec}, {gop}", "mp4", change, *options, *keys, *STEREO_AAC)
    for name, change in TIMES.items():
        # An edit list would cut off frames whose times are now beyond its length.
        encoding: tuple[str, ...] = (*H264, *SHORT_GOP, *STEREO_AAC, "-use_editlist", "0")
        yield _case(folder, name, "mp4", change, *encoding, untimed=True)
    for codec, options in (("h264", H264), ("mpeg4", (*MPEG4, "-bf", "0")), ("vp8", VP8)):
        for name, change in FLAGS.items():
            audio = ("-c:a", "libopus") if codec == "vp8" else STEREO_AAC
            encoding = (*options, *LONG_GOP, *CLUSTERS, *audio)
            yield _case(folder, f"{name}, {codec}", "mkv", change, *encoding)
    for name, change in CUES.items():
        yield _case(folder, name, "mkv", change, *H264, *SHORT_GOP, *CLUSTERS, *STEREO_AAC)
    for name, change in AVI.items():
        encoding = (*MPEG4, *LONG_GOP, "-c:a", "libmp3lame")
        yield _case(folder, name, "avi", change, *encoding)


def _moved(rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    return [(row[0] + 5,) for row in rows]


SYNC_TABLES: dict[str, Change] = {
    "none": lambda data: without(data, b"stss") if b"stss" in data else data,
    "every frame": lambda data: _with_sync(data, range(1, FILM.frames + 1)),
    "moved by 5": lambda data: with_table(data, b"stss", 1, _moved),
    "empty": lambda data: _with_sync(data, ()),
    "of the late frames": lambda data: _with_sync(data, range(FILM.absent, FILM.frames, 7)),
    "beyond the end": lambda data: _with_sync(data, (1, 5000, 70000)),
}
"""changes of the key frame table of an MP4 file"""
TIMES: dict[str, Change] = {
    "no ctts": lambda data: without(data, b"ctts"),
    "ctts 0": lambda data: with_table(data, b"ctts", 2, lambda rows: [(count, 0) for count, _ in rows]),
    "ctts turned round": lambda data: with_table(data, b"ctts", 2, lambda rows: rows[::-1]),
    "ctts negative": lambda data: with_table(data, b"ctts", 2, lambda rows: [(n, -offset) for n, offset in rows]),
    "ctts of the first half": lambda data: with_table(data, b"ctts", 2, lambda rows: rows[: len(rows) // 2]),
    "stts half as long": lambda data: with_table(data, b"stts", 2, lambda rows: [(n, d // 2) for n, d in rows]),
    "stts of the first half": lambda data: with_table(data, b"stts", 2, lambda rows: [(FILM.frames // 2, rows[0][1])]),
    "stts 0": lambda data: with_table(data, b"stts", 2, lambda rows: [(n, 0) for n, _ in rows]),
    "stts with a leap": lambda data: with_table(
        data, b"stts", 2, lambda rows: [(60, rows[0][1]), (1, 50 * rows[0][1]), (FILM.frames - 61, rows[0][1])]
    ),
}
"""changes of its tables of times"""


def _with_sync(data: bytes, numbers: range | tuple[int, ...]) -> bytes:
    rows = table(b"stss", [(number,) for number in numbers])
    try:
        return replaced(data, find(data, b"stss", b"vide"), rows)
    except ValueError:  # every frame is a key frame already
        stsd = find(data, b"stsd", b"vide")
        return replaced(data, stsd, data[stsd.begin : stsd.end] + rows)


def _flags(wanted: Callable[[int, bool], bool]) -> Change:
    def change(data: bytes) -> bytes:
        content = bytearray(data)
        for number, (at, is_key) in enumerate(ebml.key_flags(data)):
            content[at] = content[at] & ~ebml.KEY | (ebml.KEY if wanted(number, is_key) else 0)
        return bytes(content)

    return change


FLAGS: dict[str, Change] = {
    "all key flags": _flags(lambda number, is_key: True),
    "no key flags": _flags(lambda number, is_key: False),
    "every fifth key flag": _flags(lambda number, is_key: number % 5 == 3),
}
"""changes of the blocks of a Matroska file with a single key frame"""


def _cues(identifier: int, wanted: Callable[[list[int], int], int]) -> Change:
    def change(data: bytes) -> bytes:
        content = bytearray(data)
        found = ebml.numbers(data, identifier)
        values = [value for _, value in found]
        for number, (element, _) in enumerate(found):
            size = element.end - element.data
            content[element.data : element.end] = (wanted(values, number) % 256**size).to_bytes(size, "big")
        return bytes(content)

    return change


def _no_cues(data: bytes) -> bytes:
    content = bytearray(data)
    cues = next(element for element in ebml.elements(data) if element.identifier == ebml.CUES)
    size = cues.end - cues.begin
    content[cues.begin : cues.begin + 9] = bytes([ebml.VOID, 0x01]) + (size - 9).to_bytes(7, "big")
    return bytes(content)


CUES: dict[str, Change] = {
    "cues that point one cluster on": _cues(ebml.CUE_CLUSTER, lambda all_, i: all_[min(i + 1, len(all_) - 1)]),
    "cues that point to the last cluster": _cues(ebml.CUE_CLUSTER, lambda all_, i: all_[-1]),
    "cues that point behind the end": _cues(ebml.CUE_CLUSTER, lambda all_, i: all_[i] + 3_000_000),
    "cues that point between blocks": _cues(ebml.CUE_CLUSTER, lambda all_, i: all_[i] + 77),
    "cues of wrong times": _cues(ebml.CUE_TIME, lambda all_, i: all_[i] * 3),
    "cues with wrong places in clusters": _cues(ebml.CUE_RELATIVE, lambda all_, i: all_[i] + 333),
    "no cues": _no_cues,
}
"""changes of the index of a Matroska file"""


def _idx1(change_flags: Callable[[int, int], int], shift: int = 0) -> Change:
    """change_flags: from the number of a video entry and its flags to new flags."""

    def change(data: bytes) -> bytes:
        content = bytearray(data)
        begin = data.rindex(b"idx1")
        size = int.from_bytes(data[begin + 4 : begin + 8], "little")
        number = 0
        for at in range(begin + 8, begin + 8 + size, 16):
            if data[at : at + 4] == b"00dc":
                flags = int.from_bytes(data[at + 4 : at + 8], "little")
                content[at + 4 : at + 8] = change_flags(number, flags).to_bytes(4, "little")
                number += 1
            offset = int.from_bytes(data[at + 8 : at + 12], "little") + shift
            content[at + 8 : at + 12] = offset.to_bytes(4, "little")
        return bytes(content)

    return change


AVI: dict[str, Change] = {
    "idx1 all key frames": _idx1(lambda number, flags: 0x10),
    "idx1 no key frames": _idx1(lambda number, flags: 0),
    "idx1 key frames moved": _idx1(lambda number, flags: 0x10 if number % 9 == 4 else 0),
    "idx1 of wrong places": _idx1(lambda number, flags: flags, 1000),
}
"""changes of the index of an AVI file"""


def _case(folder: Path, name: str, extension: str, change: Change, *options: str, untimed: bool = False) -> MediaCase:
    path = folder / f"{name.replace(', ', '_').replace(' ', '_')}.{extension}"
    # With wrong times it is unknown which audio belongs to a frame and how long the frame is shown.
    heard = () if untimed else (tone_hz(0), tone_hz(1))
    expected = Expected(frames=SEEN, tones=heard, gaps=2, is_steady=not untimed, may_be_refused=untimed)
    return MediaCase(KIND, name, path, expected, partial(_lying, change=change, options=options))


def _lying(path: Path, change: Change, options: Sequence[str]) -> None:
    plain_video(path.parent, path, FILM, *options)
    path.with_suffix(".s16").unlink()
    data = path.read_bytes()
    changed = change(data)
    if changed == data:
        raise ValueError(f"{path.name}: nothing was changed")
    path.write_bytes(changed)
