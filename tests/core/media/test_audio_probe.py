"""Audio that begins late, and audio for which there is no decoder."""

from __future__ import annotations

import io
import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from core.media.audio_reader import read_audio
from core.media.video_probe import probe_video
from core.types import VideoInfo
from tests.material.channel_videos import tone_video, tones_source
from tests.material.small_videos import run_ffmpeg


def silent_until_s(info: VideoInfo) -> float:
    """When the audio begins, seconds from the first frame."""
    pcm = io.BytesIO()
    excerpt = read_audio(info, info.start_pts * info.time_base, Fraction(14), pcm)
    assert excerpt is not None
    samples = np.frombuffer(pcm.getvalue(), "<i2").reshape(-1, excerpt.format.channels)
    return float(np.flatnonzero(np.abs(samples[:, 0]) > 300)[0]) / excerpt.format.sample_rate_hz


def two_tracks(path: Path) -> Path:
    """The first one is the default: 300 Hz; the second one: 300 and 400 Hz."""
    sources = (*tones_source(1, 2), *tones_source(2, 2))
    run_ffmpeg(
        "-f", "lavfi", "-i", "color=gray:s=64x64:r=25:d=2", *sources, "-map", "0", "-map", "1", "-map", "2",
        "-c:v", "mpeg4", "-c:a", "aac", "-disposition:a:0", "default", str(path),
    )  # fmt: skip
    return path


def without_decoder(path: Path, tracks: int) -> Path:
    """Rename the format of the first `tracks` audio tracks to one that libav knows by name only."""
    data = path.read_bytes()
    audio = data.index(b"mp4a", data.rindex(b"moov"))  # behind the description of the images
    header = data[audio:].replace(b"mp4a", b"apac", tracks).replace(b"esds", b"free", tracks)
    path.write_bytes(data[:audio] + header)
    return path


@pytest.mark.parametrize(("extension", "codec"), [("ts", "aac"), ("ts", "mp2"), ("vob", "mp2"), ("mpg", "mp2")])
def test_audio_that_begins_after_the_part_that_is_looked_at(tmp_path: Path, extension: str, codec: str) -> None:
    path = tone_video(tmp_path / f"a.{extension}", 2, "-c:a", codec, seconds=4, late_s=11, image_s=16)
    info = probe_video(path)
    (track,) = info.audio
    assert (track.codec, track.channels, track.sample_rate_hz, track.late, track.fault) == (codec, 2, 48000, True, "")
    assert silent_until_s(info) == pytest.approx(11, abs=0.05)


def test_audio_that_a_joined_stream_declares_late(tmp_path: Path) -> None:
    parts = [tmp_path / "silent.ts", tmp_path / "loud.ts"]
    run_ffmpeg("-f", "lavfi", "-i", "color=gray:s=64x64:r=25:d=11", "-c:v", "mpeg2video", str(parts[0]))
    tone_video(parts[1], 2, "-c:a", "aac", "-output_ts_offset", "11", seconds=4)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    info = probe_video(joined)
    assert [(track.codec, track.late, track.fault) for track in info.audio] == [("aac", True, "")]
    assert silent_until_s(info) == pytest.approx(11, abs=0.1)


def test_files_that_show_their_audio_at_once_are_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tone_video(tmp_path / f"a.{x}", 2, "-c:a", "mp2") for x in ("ts", "mpg", "mkv")]
    paths.append(tmp_path / "silent.ts")
    run_ffmpeg("-f", "lavfi", "-i", "color=gray:s=64x64:r=25:d=2", "-c:v", "mpeg2video", str(paths[-1]))
    opened: list[object] = []
    real = av.open

    def counted(*args, **options):
        opened.append(args)
        return real(*args, **options)

    monkeypatch.setattr(av, "open", counted)
    for path in paths:
        assert not any(track.late for track in probe_video(path).audio)
    assert len(opened) == len(paths)


def test_a_format_without_decoder_is_named(tmp_path: Path) -> None:
    info = probe_video(without_decoder(tone_video(tmp_path / "a.mp4", 2, "-c:a", "aac"), 1))
    assert [(track.codec, track.fault) for track in info.audio] == [("apac", "cannot be decoded")]
    assert info.default_audio is None and info.unheard_audio == info.audio[0]
    assert read_audio(info, Fraction(0), Fraction(1), io.BytesIO()) is None


def test_another_track_is_used_where_the_default_has_no_decoder(tmp_path: Path) -> None:
    info = probe_video(without_decoder(two_tracks(tmp_path / "a.mp4"), 1))
    assert info.default_audio == info.audio[1] and info.unheard_audio == info.audio[0]
    both = probe_video(two_tracks(tmp_path / "b.mp4"))
    assert both.default_audio == both.audio[0] and both.unheard_audio is None


def test_another_track_is_used_where_nothing_of_the_default_decodes(tmp_path: Path) -> None:
    path = two_tracks(tmp_path / "a.mp4")
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size]
    data = bytearray(path.read_bytes())
    for position, size in packets:
        data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    info = probe_video(path)
    assert info.audio[0].fault == "cannot be decoded"
    assert info.default_audio == info.audio[1]


def test_a_damaged_beginning_leaves_the_only_track_in_use(tmp_path: Path) -> None:
    path = tone_video(tmp_path / "a.mp4", 1, "-c:a", "aac", seconds=4)
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size]
    data = bytearray(path.read_bytes())
    for position, size in packets[: len(packets) // 2]:
        data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    info = probe_video(path)
    assert info.default_audio == info.audio[0]
    excerpt = read_audio(info, Fraction(1), Fraction(2), io.BytesIO())
    assert excerpt is not None and excerpt.damaged_packets > 30


def test_a_declared_track_that_never_comes_is_distinguished_from_the_one_that_is_there(tmp_path: Path) -> None:
    path = tone_video(tmp_path / "a.ts", 2, "-c:a", "mp2", seconds=2)
    late = tmp_path / "b.ts"
    run_ffmpeg(
        "-i", str(path), "-f", "lavfi", "-i", "sine=d=0.1",
        "-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "mp2", str(late),
    )  # fmt: skip
    packets = [late.read_bytes()[begin : begin + 188] for begin in range(0, late.stat().st_size, 188)]
    late.write_bytes(b"".join(p for p in packets if int.from_bytes(p[1:3], "big") & 0x1FFF != 0x102))
    there, missing = probe_video(late).audio
    assert (there.late, there.fault) == (False, "")
    assert missing.fault == "was not found"
    assert probe_video(late).default_audio == there


def test_audio_with_an_unknown_format_tag_cannot_be_decoded(tmp_path: Path) -> None:
    path = tone_video(tmp_path / "a.avi", 2, "-c:a", "mp3")
    data = bytearray(path.read_bytes())
    tag = data.index(b"strf", data.index(b"auds")) + 8
    data[tag : tag + 2] = b"\x77\x77"
    path.write_bytes(data)
    assert [(track.codec, track.fault) for track in probe_video(path).audio] == [
        ("unknown format", "cannot be decoded")
    ]


def make_unknown(path: Path, usual: int, private: int) -> None:
    """Fill the second stream of an MPEG-TS with noise and change its type from `usual` to `private`."""
    data = bytearray(path.read_bytes())
    noise = random.Random(1)
    for begin in range(0, len(data), 188):
        body = begin + 4 + (1 + data[begin + 4] if data[begin + 3] & 0x20 else 0)
        pid = int.from_bytes(data[begin + 1 : begin + 3], "big") & 0x1FFF
        if pid == 0x101:
            body += 9 + data[body + 8] if data[begin + 1] & 0x40 else 0
            data[body : begin + 188] = noise.randbytes(begin + 188 - body)
        elif data[begin + 4 : begin + 6] == b"\0\2":  # the programme map
            end = begin + 8 + (int.from_bytes(data[begin + 6 : begin + 8], "big") & 0xFFF)
            at = data.index(bytes([usual, 0xE1, 0x01]), begin, end)
            data[at] = private
            data[end - 4 : end] = crc(bytes(data[begin + 5 : end - 4])).to_bytes(4, "big")
    path.write_bytes(data)


def crc(section: bytes) -> int:
    """CRC-32 of MPEG-2 (ISO 13818-1, annex A)."""
    value = 0xFFFFFFFF
    for byte in section:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


def test_a_stream_of_unknown_type_is_taken_for_audio_where_there_is_no_other(tmp_path: Path) -> None:
    path = tone_video(tmp_path / "a.ts", 2, "-c:a", "aac", seconds=4)
    make_unknown(path, 0x0F, 0x9A)
    info = probe_video(path)
    assert [(track.index, track.fault) for track in info.audio] == [(1, "cannot be decoded")]
    assert info.default_audio is None and info.unheard_audio == info.audio[0]
