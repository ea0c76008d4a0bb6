"""Audio against frames in containers that tell little of it, and files that were cut off or joined."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.robustness.media.atoms import atoms, find
from benchmarks.robustness.media.case import Expected, MediaCase
from benchmarks.robustness.media.film import H264, MPEG2, MPEG4, NUMBERS, STEREO_AAC, Film, plain_video, tone_hz
from tests.material.fault_material import run_ffmpeg

KIND = "times and ends"
FRAMES = 60
LATE_S = 0.025
"""20 ms and what the clip's encoder and the measurement add"""
TONES = (tone_hz(0), tone_hz(1))
COPY = ("-c", "copy")
MP2 = ("-c:a", "mp2")
GOP = ("-g", "12", "-sc_threshold", "0")
FRAGMENTS = ("-movflags", "frag_keyframe+empty_moov+default_base_moof+global_sidx")

AVI_VIDEO = {"P": MPEG4, "B": (*MPEG4, "-bf", "2"), "H.264": (*H264, "-bf", "3")}
AVI_AUDIO = {"PCM": "pcm_s16le", "MP3": "libmp3lame", "AC-3": "ac3", "AAC": "aac"}
MXF_VIDEO = {"MPEG-2": (*MPEG2, "-bf", "2"), "H.264": (*H264, "-bf", "2")}
CUT_OFF = {
    "ts": (*H264, *STEREO_AAC),
    "vob": (*MPEG2, *MP2),
    "mkv": (*H264, *STEREO_AAC),
    "mxf": (*MPEG2, "-c:a", "pcm_s16le"),
}

Change = Callable[[bytes], bytes]


def cases(folder: Path) -> Iterator[MediaCase]:
    def case(
        name: str,
        extension: str,
        frames: int,
        write: Callable[[Path], object],
        *,
        plain: bool = True,
        timed: bool = True,
        gaps: int = 0,
    ) -> MediaCase:
        path = folder / f"{name.replace(', ', '_').replace(' ', '_')}.{extension}"
        expected = Expected(frames=frames, tones=TONES, late_s=LATE_S, is_plain=plain, gaps=gaps, is_timed=timed)
        return MediaCase(KIND, f"{name} in {extension}", path, expected, write)

    number = FRAMES
    for video, codec in AVI_VIDEO.items():
        for audio, encoder in AVI_AUDIO.items():
            number += 1
            write = partial(_coded, frames=number, codecs=(*codec, "-c:a", encoder))
            yield case(f"{video} with {audio}", "avi", number, write)
    for video, codec in MXF_VIDEO.items():
        number += 1
        yield case(video, "mxf", number, partial(_coded, frames=number, codecs=(*codec, "-c:a", "pcm_s16le")))
    for begin_s in ("0.53", "0.71"):
        number += 1
        left = number - int(float(begin_s) * 25) - 1
        yield case(f"from {begin_s} s on", "mp4", left, partial(_from, frames=number, begin_s=begin_s))
    for name, change in (("sizes", _halved_sizes), ("durations", _halved_durations)):
        number += 1
        write = partial(_coded, frames=number, codecs=(*H264, *GOP, *STEREO_AAC, *FRAGMENTS), change=change)
        yield case(f"wrong {name} in the index", "mp4", number, write, plain=False)
    yield case("joined", "ts", 4 * NUMBERS, partial(_joined, frames=2 * NUMBERS), gaps=2)
    for extension, codecs in CUT_OFF.items():
        number += 1
        write = partial(_coded, frames=number, codecs=codecs, change=_cut_off)
        yield case("cut off", extension, number, write, plain=False, timed=False)
    number += 1
    write = partial(_coded, frames=number, codecs=(*H264, *STEREO_AAC), change=_within_index)
    yield case("cut off within the index", "mp4", number, write, plain=False)


def _coded(path: Path, frames: int, codecs: tuple[str, ...], change: Change | None = None) -> None:
    plain_video(path.parent, path, Film(frames=frames), *codecs)
    path.with_suffix(".s16").unlink()
    if change is not None:
        path.write_bytes(change(path.read_bytes()))


def _from(path: Path, frames: int, begin_s: str) -> None:
    """Cut without encoding again: the edit begins between two frames."""
    whole = path.with_name(f"whole_{path.name}")
    _coded(whole, frames, (*H264, *GOP, *STEREO_AAC))
    run_ffmpeg(path, "-ss", begin_s, "-i", str(whole), *COPY)
    whole.unlink()


def _joined(path: Path, frames: int) -> None:
    """The same recording twice; its length is a multiple of the clock's turn."""
    _coded(path, frames, (*H264, *STEREO_AAC))
    path.write_bytes(path.read_bytes() * 2)


def _cut_off(data: bytes) -> bytes:
    end = len(data) * 6 // 10
    return data[: end - (end % 188 < 2 or end % 2048 < 2) * 50]


def _within_index(data: bytes) -> bytes:
    index = find(data, b"moov")
    return data[: (index.begin + index.end) // 2]


def _halved_sizes(data: bytes) -> bytes:
    return _with_index(data, lambda size, duration: (size // 2, duration))


def _halved_durations(data: bytes) -> bytes:
    return _with_index(data, lambda size, duration: (size, duration // 2))


def _with_index(data: bytes, change: Callable[[int, int], tuple[int, int]]) -> bytes:
    """Other sizes and durations in the first segment index (version 1)."""
    index = next(atom for atom in atoms(data) if atom.kind == b"sidx")
    changed = bytearray(data)
    (count,) = struct.unpack_from(">H", data, index.begin + 38)
    for at in range(index.begin + 40, index.begin + 40 + 12 * count, 12):
        struct.pack_into(">II", changed, at, *change(*struct.unpack_from(">II", data, at)))
    return bytes(changed)
