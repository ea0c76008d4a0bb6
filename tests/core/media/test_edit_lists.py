"""Edit lists of MP4 files that players show and libav does not."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.media.audio_reader import read_audio
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.types import VideoInfo
from tests.material.small_videos import gray_ramp, make_video, number_in_ramp, run_ffmpeg

FRAMES = 20
_ROW_BYTES = 12
PRIMING = 4096


def film(folder: Path, *, delay_s: float = 0) -> Path:
    """B-frames and a steady tone, both with edit lists. delay_s: how much later than the tone the frames begin."""
    frames, whole = folder / "frames.mp4", folder / "whole.mp4"
    make_video(frames, gray_ramp(FRAMES, 64, 48), "-c:v", "libx264", "-bf", "2", "-g", "5")
    tone = ("-f", "lavfi", "-i", "sine=d=0.8:r=48000")
    run_ffmpeg("-itsoffset", str(delay_s), "-i", str(frames), *tone, "-c:v", "copy", "-c:a", "aac", str(whole))
    return whole


def with_edit_of_no_length(path: Path, track: int) -> Path:
    """The last edit of a track gets the duration 0."""
    data = bytearray(path.read_bytes())
    at = -1
    for _ in range(track + 1):
        at = data.index(b"elst", at + 1)
    rows = int.from_bytes(data[at + 8 : at + 12], "big")
    last = at + 12 + _ROW_BYTES * (rows - 1)
    assert any(data[last : last + 4])
    data[last : last + 4] = bytes(4)
    changed = path.with_name(f"zero_{track}.mp4")
    changed.write_bytes(data)
    return changed


def frames_of(info: VideoInfo) -> list[tuple[int, int]]:
    with VideoReader(info, threads=1) as reader:
        return [(frame.pts, number_in_ramp(frame.planes()[0])) for frame in reader.frames()]


def samples_of(info: VideoInfo) -> np.ndarray:
    target = io.BytesIO()
    assert read_audio(info, Fraction(0), Fraction(7, 10), target) is not None
    return np.frombuffer(target.getvalue(), "<i2")


@pytest.mark.parametrize("delay_s", [0, 0.2])
@pytest.mark.parametrize("track", [0, 1])
def test_an_edit_of_no_length_reaches_to_the_end(tmp_path: Path, track: int, delay_s: float) -> None:
    """libav shows nothing of such a track: the video was refused, or its clips were silent."""
    whole = film(tmp_path, delay_s=delay_s)
    expected, found = probe_video(whole), probe_video(with_edit_of_no_length(whole, track))
    assert frames_of(found) == frames_of(expected) and len(frames_of(found)) == FRAMES
    # The decoder starts in another packet, so it is in tune with the other one only after a few.
    heard, wanted = samples_of(found)[PRIMING:].astype(int), samples_of(expected)[PRIMING:].astype(int)
    assert np.abs(heard - wanted).max() <= 2 < np.abs(wanted).max()
    assert found.duration_s == pytest.approx(expected.duration_s, abs=0.05)


@pytest.mark.parametrize("begin_s", [0.2, 0.21, 0.23])
def test_an_edit_that_begins_within_a_frame_keeps_audio_and_frames_together(tmp_path: Path, begin_s: float) -> None:
    """Cut without encoding again: the frames were early by up to one of them."""
    make_video(tmp_path / "frames.mp4", gray_ramp(FRAMES, 64, 48), "-bf", "2", "-g", "10")
    tone = ("-f", "lavfi", "-i", "aevalsrc=gt(t\\,0.6)*sin(2000*t):s=48000:d=0.8")
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    run_ffmpeg("-i", str(tmp_path / "frames.mp4"), *tone, "-c:v", "copy", "-c:a", "aac", str(whole))
    run_ffmpeg("-ss", str(begin_s), "-i", str(whole), "-c", "copy", str(cut))
    info = probe_video(cut)
    times = {number: info.seconds(pts) for pts, number in frames_of(info)}
    assert min(times) == pytest.approx(begin_s * 25, abs=1)
    target = io.BytesIO()
    assert read_audio(info, Fraction(0), Fraction(1, 2), target) is not None
    loud = np.flatnonzero(np.abs(np.frombuffer(target.getvalue(), "<i2").astype(int)) > 8000)
    # The tone begins with frame 15.
    assert loud[0] / 48000 == pytest.approx(times[15], abs=0.005)
