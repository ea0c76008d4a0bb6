"""Audio that lies beside the frames."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from core.media.audio_span import AROUND, BEFORE, BEHIND, audio_outside_frames
from core.media.video_probe import probe_video
from tests.material.small_videos import gray_ramp, make_video, run_ffmpeg


@pytest.mark.parametrize("extension", ["mkv", "mp4", "ts"])
@pytest.mark.parametrize(
    ("video_s", "audio_s", "where"),
    [(0, 5, BEHIND), (5, 0, BEFORE), (0, 0.5, ""), (0.5, 0, ""), (0, 0, "")],
)
def test_where_audio_lies(tmp_path: Path, extension: str, video_s: float, audio_s: float, where: str) -> None:
    path = _timed(tmp_path, extension, video_s, audio_s)
    info = probe_video(path)
    begin_s = info.seconds(info.start_pts)
    assert audio_outside_frames(info, begin_s, begin_s + 1) == where


def test_audio_on_both_sides_of_the_frames_and_no_audio(tmp_path: Path) -> None:
    info = probe_video(_timed(tmp_path, "mkv", 2, 0, "sine=duration=5,aselect='lt(t,1)+gt(t,4)'"))
    assert audio_outside_frames(info, 2, 3) == AROUND
    assert audio_outside_frames(dataclasses.replace(info, audio=()), 5, 6) == ""


def _timed(folder: Path, extension: str, video_s: float, audio_s: float, audio: str = "sine=duration=1") -> Path:
    """One second of frames and a tone, each beginning at its time, s. audio: the source of the tone."""
    frames = make_video(folder / "frames.mp4", gray_ramp(25, 64, 64))
    path = folder / f"timed.{extension}"
    tone = ("-itsoffset", str(audio_s), "-f", "lavfi", "-i", audio)
    run_ffmpeg("-itsoffset", str(video_s), "-i", str(frames), *tone, "-c:v", "copy", "-c:a", "aac", str(path))
    return path
