"""Timecode of files as cameras and editing programs write them."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import pytest

from core.media.timecode_reader import read_timecode, to_timecode
from core.media.video_probe import probe_video
from core.types import SourceTimecode
from tests.material.small_videos import run_ffmpeg

NTSC = Fraction(30000, 1001)


def timed_video(path: Path, rate: str, timecode: str, *options: str, size: str = "64x64") -> Path:
    source = ["-f", "lavfi", "-i", f"testsrc=s={size}:r={rate}:d=0.4"]
    run_ffmpeg(*source, *(["-timecode", timecode] if timecode else []), *options, str(path))
    return path


@pytest.mark.parametrize(
    ("name", "rate", "text", "options", "expected"),
    [
        ("a.mov", "30000/1001", "01:00:00;00", ["-c:v", "mjpeg"], SourceTimecode(107892, 30, True)),
        ("a.mov", "60000/1001", "00:01:00;04", ["-c:v", "mjpeg"], SourceTimecode(3600, 60, True)),
        ("a.mov", "24000/1001", "00:00:01:23", ["-c:v", "mjpeg"], SourceTimecode(47, 24)),
        ("a.mp4", "25", "10:11:12:13", ["-c:v", "libx264"], SourceTimecode(916813, 25)),
        ("a.mxf", "25", "01:02:03:04", ["-c:v", "mpeg2video"], SourceTimecode(93079, 25)),
        ("a.mxf", "30000/1001", "01:00:00;00", ["-c:v", "mpeg2video"], SourceTimecode(107892, 30, True)),
        ("a.mkv", "25", "00:00:00:10", ["-c:v", "libx264"], SourceTimecode(10, 25)),
        ("a.mp4", "25", "", ["-c:v", "libx264"], None),
    ],
)
def test_timecode_of_each_container(tmp_path, name, rate, text, options, expected):
    info = probe_video(timed_video(tmp_path / name, rate, text, *options))
    found = read_timecode(info)
    assert found == expected
    assert dataclasses.replace(info, timecode=found).timecode_at(0.0) == text


def test_timecode_of_a_dv_tape(tmp_path):
    options = ["-c:v", "dvvideo", "-pix_fmt", "yuv420p"]
    info = probe_video(timed_video(tmp_path / "tape.dv", "25", "01:02:03:04", *options, size="720x576"))
    assert read_timecode(info) == SourceTimecode(93079, 25)


@pytest.mark.parametrize(
    ("text", "rate", "expected"),
    [
        ("01:00:00.00", NTSC, SourceTimecode(107892, 30, True)),
        # Cameras mark drop-frame at rates where there is none; the code counts every frame then.
        ("00:01:00;02", Fraction(25), SourceTimecode(1502, 25)),
        ("00:00:00:30", Fraction(25), None),
        ("25:00:00:00", Fraction(25), None),
        ("Monday", Fraction(25), None),
        ("", Fraction(25), None),
    ],
)
def test_what_a_file_may_state(text, rate, expected):
    assert to_timecode(text, rate) == expected


def test_a_file_that_is_gone_has_no_timecode(tmp_path):
    info = probe_video(timed_video(tmp_path / "a.mp4", "25", "10:11:12:13", "-c:v", "libx264"))
    info.path.unlink()
    assert read_timecode(info) is None


def test_labels_count_on_from_the_first_frame_and_over_midnight():
    assert SourceTimecode(107892, 30, True).label(1800) == "01:01:00;02"
    assert SourceTimecode(24 * 3600 * 25 - 1, 25).label(1) == "00:00:00:00"
