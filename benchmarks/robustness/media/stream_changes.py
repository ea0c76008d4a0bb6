"""Changes in mid-stream: frame size, pixel aspect, frame rate, audio sample rate and channels.

The pieces are encoded separately and joined without adjusting the headers, as happens when a phone is turned while
recording, a call lowers its resolution, or a broadcast switches to an advertisement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import av

from benchmarks.robustness.media.case import Expected, MediaCase
from benchmarks.robustness.media.film import (
    H264,
    MPEG2,
    MPEG4,
    RATE,
    STEREO_AAC,
    Film,
    audio_input,
    film_input,
    frame_times,
    tone_hz,
    tones,
)
from tests.material.fault_material import run_ffmpeg

KIND = "changes in mid-stream"
FRAMES = 32
"""frames per piece: one turn of the clock's dot, so that numbers and bursts continue across seams"""
SEAM = 2

PLAIN = Film(frames=FRAMES)
TURNED = Film(240, 320, FRAMES)
LARGE = Film(640, 480, FRAMES)
WIDE = Film(426, 240, FRAMES)
SMALL = Film(192, 144, FRAMES)
STRETCHED = Film(426, 240, FRAMES, coded=(320, 240))
NARROWED = Film(240, 240, FRAMES, coded=(320, 240))
"""pieces with the stored size of PLAIN and wide or narrow pixels"""
SHAPES = {
    "plain, turned": (PLAIN, TURNED),
    "turned, plain": (TURNED, PLAIN),
    "plain, wide": (PLAIN, WIDE),
    "wide, plain, wide": (WIDE, PLAIN, WIDE),
    "plain, large": (PLAIN, LARGE),
    "large, small": (LARGE, SMALL),
}
PIXELS = {
    "square, wide pixels": (PLAIN, STRETCHED),
    "wide, square pixels": (STRETCHED, PLAIN),
    "narrow, wide pixels": (NARROWED, STRETCHED),
}
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M")
OPUS = ("-c:a", "libopus", "-b:a", "128k")
MP2 = ("-c:a", "mp2", "-b:a", "192k")
AC3 = ("-c:a", "ac3", "-b:a", "384k")


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a stream: its frames, frame rate, audio sample rate in Hz, and channels."""

    film: Film = PLAIN
    rate: Fraction = RATE
    rate_hz: int = 48000
    channels: int = 2

    @property
    def length_s(self) -> float:
        return float(self.film.frames / self.rate)


def cases(folder: Path) -> Iterator[MediaCase]:
    for changes, names in ((SHAPES, tuple(SHAPES)), (PIXELS, tuple(PIXELS))):
        for name in names:
            pieces = [Piece(film) for film in changes[name]]
            for extension in ("ts", "mkv", "mp4"):
                yield _case(folder, f"{name}, h264", extension, pieces, *H264, *STEREO_AAC)
    for name, films in {
        "plain, wide": SHAPES["plain, wide"],
        "square, wide pixels": PIXELS["square, wide pixels"],
    }.items():
        for extension in ("ts", "mkv", "mpg"):
            yield _case(folder, f"{name}, mpeg2", extension, [Piece(film) for film in films], *MPEG2, *MP2)
    for name in ("plain, turned", "plain, wide", "large, small"):
        pieces = [Piece(film) for film in SHAPES[name]]
        yield _case(folder, f"{name}, vp8", "webm", pieces, *VP8, *OPUS)
        yield _case(folder, f"{name}, vp9", "webm", pieces, *VP9, *OPUS)
    yield _case(folder, "plain, turned, mjpeg", "mkv", [Piece(PLAIN), Piece(TURNED)], *_MJPEG, *STEREO_AAC)
    yield _case(folder, "plain, wide, mpeg4", "mkv", [Piece(PLAIN), Piece(WIDE)], *_MPEG4, *STEREO_AAC)
    for rate in (Fraction(50), Fraction(25, 2), Fraction(30000, 1001)):
        for extension in ("ts", "mkv", "mp4"):
            pieces = [Piece(), Piece(rate=rate), Piece()]
            yield _case(folder, f"25, {float(rate):.4g}, 25 frames a second", extension, pieces, *H264, *STEREO_AAC)
    for name, pieces in AUDIO_CHANGES.items():
        for codec, options in (("aac", STEREO_AAC), ("mp2", MP2), ("ac3", AC3)):
            if codec == "mp2" and any(piece.channels > 2 for piece in pieces):
                continue
            yield _case(folder, f"{name}, {codec}", "ts", pieces, *H264, *options)
            if codec != "aac":
                yield _case(folder, f"{name}, {codec}", "mkv", pieces, *H264, *options)


AUDIO_CHANGES = {
    "stereo, mono, stereo": [Piece(), Piece(channels=1), Piece()],
    "mono, stereo": [Piece(channels=1), Piece()],
    "stereo, 5.1": [Piece(), Piece(channels=6)],
    "5.1, stereo": [Piece(channels=6), Piece()],
    "48, 44.1 kHz": [Piece(), Piece(rate_hz=44100)],
    "32, 48 kHz": [Piece(rate_hz=32000), Piece()],
}
_MJPEG = ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p")
_MPEG4 = (*MPEG4, "-bsf:v", "dump_extra=freq=keyframe")
"""codecs with the frame size in every key frame"""


def joined(path: Path, pieces: Sequence[Piece], options: Sequence[str]) -> Path:
    """Write the pieces one after the other to `path`. options: codecs, for ffmpeg."""
    if path.suffix == ".webm" or "mjpeg" in options or "mpeg4" in options:
        _join_packets(path, [_piece(path, i, piece, path.suffix, 0.0, *options) for i, piece in enumerate(pieces)])
        return path
    stream, begin_s = b"", 1.0
    for number, piece in enumerate(pieces):
        part = _piece(path, number, piece, ".ts", begin_s, *options)
        stream += part.read_bytes()
        part.unlink()
        begin_s += piece.length_s
    if path.suffix == ".ts":
        path.write_bytes(stream)
        return path
    broadcast = path.with_suffix(".joined.ts")
    broadcast.write_bytes(stream)
    run_ffmpeg(path, "-i", str(broadcast), "-map", "0:v", "-map", "0:a", "-c", "copy")
    broadcast.unlink()
    return path


def _piece(path: Path, number: int, piece: Piece, suffix: str, begin_s: float, *options: str) -> Path:
    target = path.with_suffix(f".{number}{suffix}")
    film = replace(piece.film, first=FRAMES * number)
    audio = target.with_suffix(".s16")
    heard = tones(frame_times(film.frames, piece.rate), piece.length_s, piece.channels, rate_hz=piece.rate_hz)
    inputs = (*film_input(path.parent, film, piece.rate), *audio_input(audio, heard, piece.rate_hz))
    clock = ("-output_ts_offset", str(begin_s), "-muxdelay", "0", "-muxpreload", "0") if suffix == ".ts" else ()
    run_ffmpeg(target, *inputs, *options, *clock)
    audio.unlink()
    return target


def _join_packets(target: Path, pieces: Sequence[Path]) -> None:
    """All packets in the streams of the first piece; the headers of the others are dropped."""
    with av.open(str(target), "w") as out:
        streams: list[av.stream.Stream] = []
        shift_s = Fraction(0)
        last: dict[int, int] = {}
        for path in pieces:
            with av.open(str(path)) as piece:
                streams = streams or [out.add_stream_from_template(stream) for stream in piece.streams]
                end_s = Fraction(0)
                for packet in piece.demux():
                    if packet.pts is None or packet.dts is None:
                        continue
                    time_base = packet.stream.time_base
                    if packet.stream.type == "video":
                        end_s = max(end_s, (packet.pts + (packet.duration or 0)) * time_base)
                    packet.pts += round(shift_s / time_base)
                    packet.dts += round(shift_s / time_base)
                    # The audio is a little longer than the video.
                    if packet.dts <= last.get(packet.stream.index, packet.dts - 1):
                        continue
                    last[packet.stream.index] = packet.dts
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
            shift_s += end_s
            path.unlink()


def _case(folder: Path, name: str, extension: str, pieces: Sequence[Piece], *options: str) -> MediaCase:
    path = folder / f"{name.replace(', ', '_').replace(' ', '_')}.{extension}"
    steady = len({piece.rate for piece in pieces}) == 1
    # The second channel may be missing in a piece; the first one's tone continues.
    expected = Expected(
        frames=FRAMES * len(pieces), tones=(tone_hz(0),), gaps=SEAM * (len(pieces) - 1), is_steady=steady
    )
    write = partial(joined, pieces=pieces, options=options)
    return MediaCase(KIND, f"{name} in {extension}", path, expected, write)
