"""Containers without presentation times: each frame is shown with the audio that it was recorded with."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.media.audio_reader import read_audio
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from tests.material.small_videos import gray_ramp, make_video, number_in_ramp, run_ffmpeg

FRAMES, RATE = 20, 25
TONE_FROM_S = 0.4
TONE = f"aevalsrc=gt(t\\,{TONE_FROM_S})*sin(2000*t):s=48000:d={FRAMES / RATE}"
TOLERANCE_S = 0.008
"""AC-3 has a delay of 256 samples; MP3 and AAC smear a beginning"""
MPEG4, H264 = ("-c:v", "mpeg4", "-q:v", "2"), ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "4")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2")


def made(folder: Path, extension: str, *codecs: str) -> Path:
    source = make_video(folder / "ramp.mkv", gray_ramp(FRAMES, 64, 48), rate=str(RATE))
    path = folder / f"a.{extension}"
    run_ffmpeg("-i", str(source), "-f", "lavfi", "-i", TONE, *codecs, "-pix_fmt", "yuv420p", str(path))
    return path


def check_frames(path: Path, threads: int = 1, at_least: int = FRAMES) -> None:
    """All frames are there, each at its time."""
    info = probe_video(path)
    with VideoReader(info, threads=threads) as reader:
        found = [(info.seconds(frame.pts), number_in_ramp(frame.planes()[0])) for frame in reader.frames()]
        assert reader.statistics.get("reordered_times", 0) == 0
    assert found[0][0] == pytest.approx(info.seconds(info.start_pts))
    assert len(found) >= at_least and [number for _, number in found] == list(range(len(found)))
    assert [time for time, _ in found] == pytest.approx([number / RATE for _, number in found])


def tone_begins_s(path: Path) -> float:
    target = io.BytesIO()
    excerpt = read_audio(probe_video(path), Fraction(0), Fraction(FRAMES, RATE), target)
    assert excerpt is not None
    samples = np.frombuffer(target.getvalue(), "<i2").reshape(-1, excerpt.format.channels)[:, 0]
    loud = np.abs(samples.astype(int)) > 0.3 * np.abs(samples.astype(int)).max()
    return float(np.flatnonzero(loud)[0] / excerpt.format.sample_rate_hz)


@pytest.mark.parametrize("audio", ["pcm_s16le", "libmp3lame", "ac3", "aac"])
@pytest.mark.parametrize("video", [MPEG4, (*MPEG4, "-bf", "2"), (*H264, "-bf", "3")], ids=["P", "B", "H.264"])
def test_avi_without_presentation_times(tmp_path: Path, video: tuple[str, ...], audio: str) -> None:
    path = made(tmp_path, "avi", *video, "-c:a", audio)
    for threads in (1, 3):
        check_frames(path, threads)
    assert tone_begins_s(path) == pytest.approx(TONE_FROM_S, abs=TOLERANCE_S)


@pytest.mark.parametrize("rate_hz", [16000, 22050, 44100])
def test_the_delay_of_an_encoder_is_counted_in_samples(tmp_path: Path, rate_hz: int) -> None:
    """At low rates it is longer than a frame, and ffmpeg moves the frames by two."""
    path = made(tmp_path, "avi", *MPEG4, "-c:a", "libmp3lame", "-ar", str(rate_hz), "-ac", "1")
    check_frames(path)
    assert tone_begins_s(path) == pytest.approx(TONE_FROM_S, abs=TOLERANCE_S)


@pytest.mark.parametrize("is_cut", [False, True], ids=["whole", "without its index"])
@pytest.mark.parametrize("video", [MPEG2, (*MPEG2, "-bf", "2"), (*H264, "-bf", "2")], ids=["P", "B", "H.264"])
def test_mxf_with_and_without_presentation_times(tmp_path: Path, video: tuple[str, ...], is_cut: bool) -> None:
    path = made(tmp_path, "mxf", *video, "-c:a", "pcm_s16le")
    if is_cut:
        path.write_bytes(path.read_bytes()[:-8000])
    check_frames(path, at_least=FRAMES - 5 if is_cut else FRAMES)
    assert tone_begins_s(path) == pytest.approx(TONE_FROM_S, abs=TOLERANCE_S)


def test_a_frame_that_cannot_be_decoded_moves_no_other(tmp_path: Path) -> None:
    path = made(tmp_path, "avi", *MPEG4, "-bf", "2", "-g", "5", "-c:a", "pcm_s16le")
    data = bytearray(path.read_bytes())
    # The chunk of a key frame in the middle loses its content.
    chunks = [at for at in range(len(data) - 4) if data[at : at + 4] == b"00dc" and at < data.index(b"idx1")]
    at = chunks[10]
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    data[at + 8 : at + 8 + size] = bytes(size)
    path.write_bytes(data)
    info = probe_video(path)
    with VideoReader(info, threads=1) as reader:
        found = [(info.seconds(frame.pts), number_in_ramp(frame.planes()[0])) for frame in reader.frames()]
    intact = [(time, number) for time, number in found if number in (*range(6), *range(17, FRAMES))]
    assert len(intact) >= 8
    assert all(time == pytest.approx(number / RATE) for time, number in intact)
