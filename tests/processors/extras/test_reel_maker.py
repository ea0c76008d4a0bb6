"""Reels: every frame of every clip comes once, at the exact rate, with its audio."""

from __future__ import annotations

import itertools
import os
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from config import EncodeSettings
from core.errors import EncodeError, InterruptedRunError, PipelineError, ToolMissingError
from core.media.audio_reader import PcmFormat
from core.media.clip_writer import ClipWriter
from core.media.encoder_command import ClipEncoding
from core.media.ffmpeg_tool import find_ffmpeg
from core.types import Clip
from processors.extras import reel_maker
from processors.extras.reel_audio import ReelPart, reel_frames, write_reel_audio
from processors.extras.reel_maker import ReelOutput, load_moviepy, reel_parts, write_reels
from processors.extras.title_card import title_card
from utils.console.stage_monitor import StageMonitor
from utils.images.rgb_images import encode_jpeg

NTSC = Fraction(30000, 1001)
ENCODE = EncodeSettings(preset="ultrafast", codec="x264", quality=10)
RATE_HZ = 48000
LEVELS = (60, 120, 180)
"""brightness of the first frame of each clip; each following frame is brighter by one"""


def write_clip(
    folder: Path,
    number: int,
    rate: Fraction,
    frames: int,
    *,
    audio: bool = True,
    person: str = "p é",
    timecode: str = "",
) -> Clip:
    """A clip in which each frame is brighter by one, with a tone of its own loudness."""
    path = folder / person / f"clip_{number}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    pcm = folder / "tone.pcm"
    samples = round(frames / rate * RATE_HZ)
    tone = (number + 1) * 4000 * np.sin(2 * np.pi * 500 * np.arange(samples) / RATE_HZ)
    pcm.write_bytes(np.repeat(tone.astype("<i2"), 2).tobytes())
    given = (pcm, PcmFormat(RATE_HZ, 2)) if audio else None
    with ClipWriter(path, ClipEncoding(64, 64, rate, ENCODE, audio=given, timecode=timecode)) as writer:
        for frame in range(frames):
            luma = np.full((64, 64), LEVELS[number % 3] + frame, np.uint8)
            writer.write(luma, np.full((32, 32), 128, np.uint8), np.full((32, 32), 128, np.uint8))
    pcm.unlink()
    start = number * 1000
    return Clip(person, f"{person}/{path.name}", 0, start, start + frames, 0.0, 1.0, frames, 64, 64, audio, 1.0)


def brightness(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.to_ndarray()[:64].mean()) for frame in container.decode(video=0)]


@pytest.mark.parametrize("rate", [Fraction(25), NTSC], ids=str)
def test_clips_with_timecode_give_the_same_reel(tmp_path, rate):
    reels = []
    for timecode in ("", "01:00:00:00"):
        folder = tmp_path / f"with{timecode[:2]}"
        clips = [write_clip(folder, number, rate, 20, timecode=timecode) for number in (0, 1, 2)]
        write_reels(ReelOutput(folder, rate, ENCODE), clips, {}, StageMonitor())
        reels.append((folder / "p é/reel.mp4").read_bytes())
        assert len(list((folder / "p é").iterdir())) == 4
    assert reels[0] == reels[1]


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(1000, 33)], ids=str)
def test_title_then_every_frame_of_every_clip_once(tmp_path, rate):
    # Given out of order: a reel is in the order of the video.
    clips = [write_clip(tmp_path, number, rate, 40) for number in (1, 0)]
    assert write_reels(ReelOutput(tmp_path, rate, ENCODE), clips, {}, StageMonitor()) == ("p é/reel.mp4",)
    parts = reel_parts(tmp_path, [clips[1], clips[0]], rate)
    title, first, second = parts
    with av.open(str(tmp_path / "p é/reel.mp4")) as container:
        assert container.streams.video[0].average_rate == rate
        audio_s = float(container.streams.audio[0].duration * container.streams.audio[0].time_base)
    light = brightness(tmp_path / "p é/reel.mp4")
    assert len(light) == reel_frames(parts) == title.frames + 80 - title.overlap - first.overlap
    assert audio_s == pytest.approx(len(light) / float(rate), abs=0.03)
    begin = title.frames
    alone = light[begin : begin + 40 - title.overlap - first.overlap]
    assert np.allclose(alone, [LEVELS[0] + title.overlap + i for i in range(len(alone))], atol=1.6)
    begin += 40 - title.overlap
    assert np.allclose(light[begin:], [LEVELS[1] + first.overlap + i for i in range(40 - first.overlap)], atol=1.6)
    fade = light[begin - first.overlap : begin]
    assert all(b > a for a, b in itertools.pairwise(fade)) and second.overlap == 0
    assert max(light[: title.frames - title.overlap]) < 60
    assert {path.name for path in (tmp_path / "p é").iterdir()} == {"clip_0.mp4", "clip_1.mp4", "reel.mp4"}


def test_the_audio_of_the_clips_is_cross_faded(tmp_path):
    rate = Fraction(25)
    parts = [
        ReelPart(None, 10, 2),
        *(ReelPart(tmp_path / write_clip(tmp_path, n, rate, 30).file, 30, 5 if n == 0 else 0) for n in (0, 1)),
    ]
    pcm = write_reel_audio(parts, rate, tmp_path / "reel.pcm", threading.Event())
    assert pcm == PcmFormat(RATE_HZ, 2)
    samples = np.fromfile(tmp_path / "reel.pcm", "<i2").reshape(-1, 2)
    assert len(samples) == (10 - 2 + 30 - 5 + 30) * RATE_HZ // 25
    per_frame = np.abs(samples[:, 0].astype(float)).reshape(-1, RATE_HZ // 25).max(1)
    assert per_frame[:8].max() == 0
    assert per_frame[12:32].mean() == pytest.approx(4000, rel=0.05)
    assert per_frame[40:].mean() == pytest.approx(8000, rel=0.05)
    fade = per_frame[33:38]
    assert all(3500 < value < 8500 for value in fade) and per_frame[8] < 2500
    # Two equal tones in phase would show a gap or a bump at once: none is lost, none is doubled.
    assert len(list(tmp_path.glob(".partial*"))) == 0


def test_clips_without_audio_make_a_silent_reel(tmp_path):
    clips = [write_clip(tmp_path, n, Fraction(25), 12, audio=False) for n in (0, 1)]
    write_reels(ReelOutput(tmp_path, Fraction(25), ENCODE), clips, {}, StageMonitor())
    with av.open(str(tmp_path / clips[0].person / "reel.mp4")) as container:
        assert len(container.streams.audio) == 0


def test_each_person_has_a_reel_even_of_very_short_clips(tmp_path):
    clips = [write_clip(tmp_path, 0, NTSC, 1, person="a"), write_clip(tmp_path, 1, NTSC, 2, person="b")]
    clips.append(write_clip(tmp_path, 2, NTSC, 1, person="b"))
    assert write_reels(ReelOutput(tmp_path, NTSC, ENCODE), clips, {}, StageMonitor()) == ("a/reel.mp4", "b/reel.mp4")
    assert len(brightness(tmp_path / "b/reel.mp4")) == round(1.6 * NTSC) + 3
    assert write_reels(ReelOutput(tmp_path, NTSC, ENCODE), [], {}, StageMonitor()) == ()


def test_a_stopped_reel_leaves_nothing(tmp_path):
    clips = [write_clip(tmp_path, n, Fraction(25), 30) for n in (0, 1)]

    class Impatient(StageMonitor):
        def update(self, stage: str, done: float, total: float) -> None:
            if stage == "reel" and done == 50:
                self.stop.set()

    with pytest.raises(InterruptedRunError):
        write_reels(ReelOutput(tmp_path, Fraction(25), ENCODE), clips, {}, Impatient())
    assert {path.name for path in (tmp_path / "p é").iterdir()} == {"clip_0.mp4", "clip_1.mp4"}


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_clip_that_cannot_be_read_is_a_pipeline_error(tmp_path, damage):
    clips = [write_clip(tmp_path, n, Fraction(25), 30) for n in (0, 1)]
    path = tmp_path / clips[1].file
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(PipelineError):
        write_reels(ReelOutput(tmp_path, Fraction(25), ENCODE), clips, {}, StageMonitor())
    assert not (tmp_path / "p é/reel.mp4").exists() and not list(tmp_path.rglob(".partial*"))


def test_what_moviepy_raises_becomes_an_encode_error(tmp_path, monkeypatch):
    clips = [write_clip(tmp_path, 0, Fraction(25), 10)]

    def broken(*_):
        raise OSError("MoviePy error: the pipe is broken")

    monkeypatch.setattr(reel_maker, "open_clip", broken)
    with pytest.raises(EncodeError, match="the pipe is broken"):
        write_reels(ReelOutput(tmp_path, Fraction(25), ENCODE), clips, {}, StageMonitor())


def test_moviepy_uses_our_ffmpeg_and_the_environment_is_restored():
    before = dict(os.environ)
    load_moviepy()
    import moviepy.config

    assert find_ffmpeg() == moviepy.config.FFMPEG_BINARY
    assert dict(os.environ) == before


def test_a_missing_moviepy_is_a_missing_tool(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "moviepy", None)
    with pytest.raises(ToolMissingError, match="moviepy"):
        load_moviepy()


def test_the_title_shows_face_and_name_and_fits():
    face = encode_jpeg(np.full((90, 60, 3), (200, 30, 30), np.uint8), 90)
    card = title_card(320, 180, "person_01", "3 clips, 0:12.0", face)
    assert card.shape == (180, 320, 3)
    assert np.abs(card[65, 160].astype(int) - (200, 30, 30)).max() < 8
    assert card[112:140].max() > 200, "no name"
    for text in ("", "x" * 300, "Zoë 李"):
        assert title_card(64, 64, text, text, b"").shape == (64, 64, 3)
    long = title_card(320, 180, "w" * 60, "", b"")
    assert not (long[:, :8] - 20 > 30).any(), "runs over the edge"
