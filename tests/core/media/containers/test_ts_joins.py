"""MPEG-TS recordings that are joined on one clock are not damaged; those with lost packets are."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.media.containers.ts_joins import recording_begins
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from tests.material.small_videos import gray_ramp, make_video, run_ffmpeg

PACKET = 188


def recording(folder: Path, start_s: float) -> bytes:
    """1.6 seconds of frames and a tone whose times begin at `start_s`."""
    frames, path = make_video(folder / "frames.mp4", gray_ramp(20, 64, 64) * 2), folder / "recording.ts"
    tone = ("-f", "lavfi", "-i", "sine=duration=1.6")
    timing = ("-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", str(start_s))
    run_ffmpeg("-i", str(frames), *tone, "-c:v", "mpeg2video", "-g", "12", "-c:a", "mp2", *timing, str(path))
    return path.read_bytes()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return recording(tmp_path_factory.mktemp("first"), 10)


def failures(path: Path) -> int:
    with VideoReader(probe_video(path)) as reader:
        assert sum(1 for _ in reader.frames()) >= 75
        return reader.decode_failures


@pytest.mark.parametrize("start_s", [11.6, 11.2])
def test_what_is_joined_on_one_clock_is_not_damaged(tmp_path: Path, first: bytes, start_s: float) -> None:
    path = tmp_path / "joined.ts"
    path.write_bytes(first + recording(tmp_path, start_s))
    assert failures(path) == 0
    at = len(first)
    assert recording_begins(path, at - 5 * PACKET, at + 5 * PACKET)
    assert not recording_begins(path, at - 15 * PACKET, at - 5 * PACKET)


def test_lost_packets_are_damage(tmp_path: Path, first: bytes) -> None:
    path = tmp_path / "lost.ts"
    second = recording(tmp_path, 11.6)
    lost = len(second) // PACKET // 2 * PACKET
    path.write_bytes(first + second[:lost] + second[lost + 6 * PACKET :])
    assert failures(path) > 0
    at = len(first) + lost
    assert not recording_begins(path, at - 5 * PACKET, at + 5 * PACKET)


def test_files_of_another_kind_have_no_joins(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(bytes(100_000))
    assert not recording_begins(path, 0, 1000)
    assert not recording_begins(tmp_path / "missing", 0, 1000)
