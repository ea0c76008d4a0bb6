"""Input of the damage campaign: small intact videos, and files that are problematic without damage."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from core.media.ffmpeg_tool import find_ffmpeg

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "videos" / "input" / "sample.mp4"

EXTENSIONS = ("mp4", "mov", "mkv", "webm", "avi", "ts")
FOREIGN_NAME = "mp4"
"""extension given to files that are not videos"""

_CODECS: dict[str, tuple[str, ...]] = {
    "mp4": ("-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac"),
    "mov": ("-c:v", "mpeg4", "-q:v", "4", "-bf", "2", "-c:a", "pcm_s16le"),
    "mkv": ("-c:v", "libx264", "-preset", "veryfast", "-g", "12", "-c:a", "aac"),
    "webm": ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "600k", "-c:a", "libopus"),
    "avi": ("-c:v", "mpeg4", "-q:v", "4", "-c:a", "libmp3lame"),
    "ts": ("-c:v", "mpeg2video", "-q:v", "4", "-bf", "2", "-c:a", "mp2"),
}
_ONE_THREAD = ("-threads", "1", "-flags", "+bitexact", "-fflags", "+bitexact")
_AUDIO = ("-f", "lavfi", "-i", "sine=d=1")
_PLAIN = ("-f", "lavfi", "-i", "testsrc=s=160x120:d=0.6:r=25")


def intact_videos(folder: Path, seconds: float = 1.2) -> dict[str, Path]:
    """One video with audio per extension, 320x240 px; most of it is before a cut, two people are shown after it."""
    made = {}
    for extension in EXTENSIONS:
        path = folder / f"intact.{extension}"
        source = ("-ss", str(3.6 - seconds), "-t", str(seconds), "-i", str(SAMPLE))
        run_ffmpeg(path, *source, "-vf", "crop=720:540,scale=320:240", *_CODECS[extension])
        made[extension] = path
    return made


def foreign_files() -> Iterator[tuple[str, bytes]]:
    """(name, content) of what is no video at all."""
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (48, 64, 3), np.uint8)
    yield "empty", b""
    yield "one byte", b"\0"
    yield "four bytes", b"ftyp"
    yield "zeros", bytes(100_000)
    yield "noise", rng.bytes(100_000)
    yield "text", "Dies ist kein Film. 영상이 아닙니다.\n".encode() * 500
    yield "web page", b"<!DOCTYPE html><html><title>404</title></html>" * 40
    yield "xml", b'<?xml version="1.0"?><feed/>' * 40
    for name in ("jpg", "png", "tiff", "bmp", "webp"):
        yield name, cv2.imencode(f".{name}", image)[1].tobytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("film.mp4", rng.bytes(5000))
    yield "zip", archive.getvalue()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("film.mp4"))
    yield "tar", archive.getvalue()
    yield "gzip", gzip.compress(rng.bytes(5000), mtime=0)
    yield "playlist", b"#EXTM3U\n#EXTINF:9,\n/etc/passwd\n#EXT-X-ENDLIST\n"
    yield "concat list", b"ffconcat version 1.0\nfile '/etc/passwd'\n"
    yield "program", b"\x7fELF" + rng.bytes(4000)
    yield "gif head", b"GIF89a" + struct.pack("<HH", 65535, 65535) + bytes(2000)
    yield "y4m head", b"YUV4MPEG2 W16000 H16000 F1000000:1 Ip A1:1 C420\nFRAME\n" + bytes(4000)
    yield "flv head", b"FLV\x01\x05\0\0\0\x09" + rng.bytes(4000)


def odd_videos(folder: Path, base: dict[str, Path], *, heavy: bool = True) -> Iterator[tuple[str, Path]]:
    """(name, file) of videos that are whole but unusual. heavy: also those that take seconds to make."""

    def make(name: str, extension: str, *arguments: str, check: bool = True) -> tuple[str, Path]:
        path = folder / f"{name.replace(' ', '_')}.{extension}"
        run_ffmpeg(path, *arguments, check=check)
        return name, path

    for extension in EXTENSIONS:
        video, only_audio = ("-i", str(base[extension])), _CODECS[extension][_CODECS[extension].index("-c:a") :]
        yield make(f"one frame {extension}", extension, *video, "-frames:v", "1", "-an", "-c:v", "copy")
        yield make(f"only audio {extension}", extension, *_AUDIO, *only_audio)
        yield make(f"no frames {extension}", extension, *video, "-frames:v", "0", "-c", "copy", check=False)
    yield make("1x1 mkv", "mkv", "-f", "lavfi", "-i", "color=s=1x1:d=0.4", "-c:v", "ffv1")
    yield make("1x1 avi", "avi", "-f", "lavfi", "-i", "color=s=1x1:d=0.4", "-c:v", "rawvideo", "-pix_fmt", "bgr24")
    yield make("16x16", "mp4", "-f", "lavfi", "-i", "color=s=16x16:d=0.4", "-c:v", "mpeg4")
    yield make("16384x16", "mkv", "-f", "lavfi", "-i", "color=s=16384x16:d=0.4", "-c:v", "ffv1")
    yield make("16x16384", "mkv", "-f", "lavfi", "-i", "color=s=16x16384:d=0.4", "-c:v", "ffv1")
    streams = (*_PLAIN, *_AUDIO, *("-map", "0:v", "-map", "1:a") * 4)
    yield make("8 streams", "mkv", *streams, "-c:v", "mpeg4", "-c:a", "aac")
    yield make("8 streams in mp4", "mp4", *streams, "-c:v", "mpeg4", "-c:a", "aac")
    cover = ("-f", "lavfi", "-i", "color=s=64x64:d=0.04", "-map", "0", "-map", "1", "-c:v", "mjpeg", "-frames:v", "1")
    yield make("cover art", "mp4", *_AUDIO, *cover, "-disposition:v", "attached_pic")
    key = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")
    encrypted = ("-encryption_scheme", "cenc-aes-ctr", *key)
    yield make("encrypted", "mp4", "-i", str(base["mp4"]), "-c", "copy", *encrypted)
    yield make("hours apart", "mkv", *_PLAIN, "-vf", "setpts=N*3600/TB", "-fps_mode", "passthrough", "-c:v", "mpeg4")
    for name, seconds in (("a minute", 60), ("100 hours", 360_000), ("30 years", 10**9)):
        leap = f"setts=ts=TS+gt(N\\,14)*{seconds}/TB"
        yield make(f"leap of {name}", "mkv", "-i", str(base["mp4"]), "-c", "copy", "-bsf:v", leap)
    yield make("rate 1000", "mkv", *_PLAIN, "-vf", "settb=1/1000,setpts=N", "-r", "1000", "-c:v", "ffv1")
    yield make("all times equal", "mp4", *_PLAIN, "-c:v", "mpeg4", "-bsf:v", "setts=ts=N:duration=0", check=False)
    for name, order in (("backwards", ("late", "early")), ("again", ("early", "early"))):
        yield f"clock {name}", _joined_ts(folder, name, order)
    for extension in ("ts", "mkv", "avi"):
        yield _resolution_change(folder, extension)
    yield "matroska times at random", _random_times(base["mkv"], folder / "random_times.mkv")
    yield "vp8 of 16383x16383", _vp8_header(base["webm"], folder / "vp8_16383.webm")
    if heavy:
        large = ("-f", "lavfi", "-i", "color=gray:s=16000x16000:r=25:d=0.12")
        yield make("16000x16000", "mkv", *large, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "31")
        large = ("-f", "lavfi", "-i", "color=gray:s=8192x8000:r=25:d=0.6")
        yield make("8192x8000", "mov", *large, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "31")


def run_ffmpeg(target: Path, *arguments: str, check: bool = True) -> None:
    command: Sequence[str] = (find_ffmpeg(), "-v", "error", "-nostdin", "-y", *arguments, *_ONE_THREAD, str(target))
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    if check and done.returncode:
        raise RuntimeError(f"{target.name}: {done.stderr.decode(errors='replace')[-400:]}")
    target.touch()


def _joined_ts(folder: Path, name: str, order: Sequence[str]) -> Path:
    """Two MPEG-TS files concatenated, each with its own clock."""
    for part, offset in (("early", 5), ("late", 3000)):
        run_ffmpeg(folder / f"{part}.ts", *_PLAIN, "-c:v", "mpeg2video", "-output_ts_offset", str(offset))
    path = folder / f"clock_{name}.ts"
    path.write_bytes(b"".join((folder / f"{part}.ts").read_bytes() for part in order))
    return path


def _resolution_change(folder: Path, extension: str) -> tuple[str, Path]:
    """A video whose size changes from 320x240 to 176x144 to 640x480."""
    codec = ("-c:v", "mpeg2video", "-q:v", "4", "-f", "mpeg2video")
    raw = folder / "changing.m2v"
    pieces = []
    for size in ("320x240", "176x144", "640x480"):
        piece = folder / f"{size}.m2v"
        run_ffmpeg(piece, "-f", "lavfi", "-i", f"testsrc=s={size}:d=0.4:r=25", *codec)
        pieces.append(piece.read_bytes())
    raw.write_bytes(b"".join(pieces))
    path = folder / f"changing.{extension}"
    run_ffmpeg(path, "-fflags", "+genpts", "-i", str(raw), "-c", "copy", check=False)
    return f"changing size {extension}", path


def _random_times(source: Path, target: Path) -> Path:
    """Matroska whose SimpleBlocks have random relative times."""
    data, rng, at = bytearray(source.read_bytes()), np.random.default_rng(3), 0
    while (at := data.find(b"\xa3", at)) >= 0:
        if 0 < data[at + 1] < 0x80 and data[at + 2] in (0x81, 0x82):
            data[at + 3 : at + 5] = rng.bytes(2)
        elif 0x40 <= data[at + 1] < 0x80 and data[at + 3] in (0x81, 0x82):
            data[at + 4 : at + 6] = rng.bytes(2)
        at += 1
    target.write_bytes(data)
    return target


def _vp8_header(source: Path, target: Path) -> Path:
    """The first key frame claims the largest frame size that VP8 can have."""
    data = bytearray(source.read_bytes())
    at = data.index(b"\x9d\x01\x2a")
    data[at + 3 : at + 7] = struct.pack("<HH", 16383, 16383)
    target.write_bytes(data)
    return target
