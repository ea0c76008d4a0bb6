"""Unusual files that folders contain: raw streams, extensions of cameras and recorders."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.robustness.media.case import Expected, MediaCase
from benchmarks.robustness.media.film import H264, MPEG2, MPEG4, STEREO_AAC, Film, plain_video, tone_hz
from tests.material.fault_material import run_ffmpeg

KIND = "odd containers"
FRAMES = 40
PAL = ("gxf", "dv")
"""muxers that only support television frame sizes"""
AT_ONCE = (*PAL, "vcd", "swf", "rm", "wtv", "nut")
"""muxers that are encoded to directly instead of remuxed from Matroska"""
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M")
AV1 = ("-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "20", "-b:v", "0")
MJPEG = ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
MP2 = ("-c:a", "mp2")

RAW = {
    "h264": ("h264", H264),
    "264": ("h264", H264),
    "avc": ("h264", H264),
    "hevc": ("hevc", HEVC),
    "h265": ("hevc", HEVC),
    "ivf": ("ivf", VP9),
    "IVF": ("ivf", VP8),
    "obu": ("obu", AV1),
    "mjpg": ("mjpeg", MJPEG),
    "mjpeg": ("mjpeg", MJPEG),
    "m2v": ("mpeg2video", MPEG2),
    "m1v": ("mpeg1video", ("-c:v", "mpeg1video", "-q:v", "3")),
}
"""extension: muxer and codec of a raw stream, without times and audio"""
RENAMED = {
    "MOD": ("vob", (*MPEG2, *MP2)),
    "TOD": ("mpegts", (*MPEG2, *MP2)),
    "m2t": ("mpegts", (*MPEG2, *MP2)),
    "trp": ("mpegts", (*H264, *STEREO_AAC)),
    "tp": ("mpegts", (*H264, "-c:a", "ac3")),
    "qt": ("mov", (*H264, *STEREO_AAC)),
    "f4v": ("f4v", (*H264, *STEREO_AAC)),
    "divx": ("avi", (*MPEG4, "-c:a", "libmp3lame")),
    "insv": ("mp4", (*H264, *STEREO_AAC)),
    "LRV": ("mp4", (*H264, *STEREO_AAC)),
    "360": ("mov", (*H264, *STEREO_AAC)),
    "dat": ("vcd", ("-c:v", "mpeg1video", "-b:v", "1150k", "-ar", "44100", "-c:a", "mp2", "-b:a", "224k")),
}
"""extension: muxer and codecs of a common container under another extension"""
RARE = {
    "nut": ("nut", (*H264, *STEREO_AAC)),
    "wtv": ("wtv", (*MPEG2, *MP2)),
    "rm": ("rm", ("-c:v", "rv10", "-q:v", "3", "-c:a", "ac3")),
    "gxf": ("gxf", (*MPEG2, "-c:a", "pcm_s16le", "-ac", "1")),
    "dv": ("dv", ("-c:v", "dvvideo", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le")),
    "swf": ("swf", ("-c:v", "flv", "-q:v", "3", "-c:a", "libmp3lame", "-ar", "44100")),
}
"""containers that need not be supported, but then must be refused with a message"""
HEAD_BYTES = 1000


def cases(folder: Path) -> Iterator[MediaCase]:
    odd = folder / "odd"
    odd.mkdir(exist_ok=True)
    heard = (tone_hz(0), tone_hz(1))
    for number, (extension, (muxer, codec)) in enumerate(RAW.items()):
        film = _film(number)
        write = partial(_write, folder=folder, film=film, muxer=muxer, codecs=codec, audio=False)
        yield _case(odd / f"raw_{extension}.{extension}", Expected(frames=film.frames, gaps=1), write)
    for number, (extension, (muxer, codecs)) in enumerate(RENAMED.items()):
        film = _film(number)
        write = partial(_write, folder=folder, film=film, muxer=muxer, codecs=codecs)
        expected = Expected(frames=film.frames, tones=heard, gaps=1)
        yield _case(odd / f"other_{extension}.{extension}", expected, write)
    for extension, (muxer, codecs) in RARE.items():
        film = Film(768, 576, FRAMES, coded=(720, 576)) if muxer in PAL else _film(0)
        write = partial(_write, folder=folder, film=film, muxer=muxer, codecs=codecs)
        expected = Expected(frames=FRAMES, tones=heard, any_tone=True, gaps=2, may_be_refused=True)
        yield _case(odd / f"rare_{extension}.{extension}", expected, write)
    for number, (muxer, codec) in enumerate((("h264", H264), ("vob", MPEG2), ("mpegts", H264), ("hevc", HEVC))):
        head = recorder_head(number)
        write = partial(_write, folder=folder, film=_film(number), muxer=muxer, codecs=codec, audio=False, head=head)
        expected = Expected(frames=FRAMES, gaps=2, may_be_refused=True)
        yield _case(odd / f"recorder_{number}.dav", expected, write, f"dav of {muxer} behind a head")


def recorder_head(number: int) -> bytes:
    """Garbage as recorders write before the stream, without the start code of any packet."""
    rng = random.Random(number)
    return b"DAHUA\0\0\0" + bytes(rng.choice((0x11, 0x42, 0x6B, 0x7F)) for _ in range(HEAD_BYTES))


def _film(number: int) -> Film:
    """Neighbouring cases get different films: files with the same content are treated as one video."""
    return Film(frames=FRAMES + number % 3)


def _write(
    path: Path, folder: Path, film: Film, muxer: str, codecs: tuple[str, ...], *, audio: bool = True, head: bytes = b""
) -> None:
    # Intermediate files go elsewhere, because the folder of the cases is an input of the program.
    whole = folder / path.with_suffix(".mkv").name
    if muxer in AT_ONCE:
        plain_video(folder, folder / path.name, film, *codecs, "-f", muxer, audio=audio).rename(path)
    else:
        plain_video(folder, whole, film, *codecs, audio=audio)
        run_ffmpeg(path, "-i", str(whole), "-c", "copy", "-f", muxer)
        whole.unlink()
    if head:
        path.write_bytes(head + path.read_bytes())
    whole.with_suffix(".s16").unlink(missing_ok=True)


def _case(path: Path, expected: Expected, write: Callable[[Path], object], name: str = "") -> MediaCase:
    return MediaCase(KIND, name or path.suffix, path, expected, write, from_folder=True)
