"""Whole clips from generated videos: frames, rates, audio, sync, colours, effects."""

from __future__ import annotations

import functools
from fractions import Fraction

import av
import numpy as np
import pytest

from benchmarks.quality.sync import CASES, bare_analysis, measure
from config import ClipSettings, EncodeSettings, Settings
from core.media.clip_writer import ClipWriter
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.types import CropPath
from processors.clip_renderer import ClipRenderer
from processors.clips import clip_task
from processors.clips.resume_journal import FinishedClips
from tests.material.flash_beep import END_S, frame_times, onsets, read_clip, write_video
from tests.material.rendered_clips import SETTINGS, crop, plain_analysis
from tests.material.small_videos import run_ffmpeg

plain = pytest.fixture(scope="module")(plain_analysis)
QUICK = ("CFR 25", "VFR, first pts 1.4 s")
"""synchronisation cases of the fast lane"""


BENCHMARK_ONLY = ("an hour in",)
"""takes 15 s; drift is seen ten minutes in"""


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=[] if c in QUICK else pytest.mark.slow) for c in CASES if c not in BENCHMARK_ONLY],
)
def test_video_and_audio_stay_in_sync(case, tmp_path):
    silent_before, silent_after = ("later" in case), ("ends" in case)
    for sync in measure(case, tmp_path):
        assert max(abs(sync.at_first_frame_s), abs(sync.at_last_frame_s), sync.worst_s) <= 0.02
        assert sync.flashes >= 5
        assert sync.beeps == sync.flashes or ((silent_before or silent_after) and sync.beeps >= 3)


@pytest.mark.parametrize("timing", [{}, {"rate": Fraction(30000, 1001)}, {"variable": True}])
def test_frames_come_at_a_constant_rate_and_audio_is_as_long(timing, tmp_path):
    write_video(tmp_path / "source.mp4", frame_times(**timing))
    analysis = bare_analysis(tmp_path / "source.mp4")
    late = int(analysis.frame_count * 0.3)
    paths = [crop(analysis), crop(analysis, late, analysis.frame_count - 5)]
    result = ClipRenderer(SETTINGS).render(analysis, paths, tmp_path / "out")
    assert result.repeated_frames == 0 and result.damaged_audio_packets == 0
    rate = float(analysis.video.frame_rate)
    for path, clip in zip(paths, result.clips, strict=True):
        times, _, audio_times, _ = read_clip(tmp_path / "out" / clip.file)
        assert len(times) == len(path.source_frames) == clip.frames
        assert np.allclose(times, np.arange(len(times)) / rate, atol=2e-3)
        assert abs(audio_times[0]) < 1e-3
        assert -1e-3 <= len(audio_times) * (audio_times[1] - audio_times[0]) - len(times) / rate < 1024 / 8000


def textured(path, pixel_format="yuv420p", options=(), size=(160, 120)):
    """Noise in all three planes, losslessly encoded; returns its planes as stored, one set per frame."""
    rng = np.random.default_rng(5)
    width, height = size
    data = rng.integers(16, 236, (4, height * 3 // 2, width), np.uint8)
    run_ffmpeg(
        "-f", "rawvideo", "-pix_fmt", pixel_format, "-s", f"{width}x{height}", "-r", "25", "-i", "-",
        "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", *options, str(path), data=data.tobytes(),
    )  # fmt: skip
    return data


def decoded(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


@pytest.mark.parametrize("place", [(0, 0), (34, 20), (96, 56)])
def test_a_clip_that_crops_without_scaling_is_bit_exact(place, tmp_path):
    source = textured(tmp_path / "noise.mp4")
    analysis = bare_analysis(tmp_path / "noise.mp4")
    x, y = place
    path = crop(analysis)
    path = CropPath(path.segment, path.source_frames, np.tile([x, y, x + 64.0, y + 64.0], (4, 1)), 64, 64)
    lossless = Settings(clip=ClipSettings(size=64), encode=EncodeSettings(preset="ultrafast", quality=0, codec="x264"))
    (clip,) = ClipRenderer(lossless).render(analysis, [path], tmp_path / "out").clips
    images = decoded(tmp_path / "out" / clip.file)
    assert len(images) == 4
    for stored, image in zip(source, images, strict=True):
        chroma = stored[120:].reshape(2, 60, 80)[:, y // 2 : y // 2 + 32, x // 2 : x // 2 + 32]
        assert np.array_equal(image[:64], stored[y : y + 64, x : x + 64])
        assert np.array_equal(image[64:].reshape(2, 32, 32), chroma)


@pytest.mark.parametrize(
    ("primaries", "transfer", "matrix", "full"),
    [
        ("bt709", "bt709", "bt709", False),
        ("smpte170m", "smpte170m", "smpte170m", True),
        ("bt470bg", "gamma28", "bt470bg", False),
        ("bt2020", "bt2020-10", "bt2020nc", False),
        ("bt709", "iec61966-2-1", "bt709", True),
    ],
)
def test_colour_tags_are_carried_over(primaries, transfer, matrix, full, tmp_path):
    tags = f"color_primaries={primaries}:color_trc={transfer.replace('gamma28', 'bt470bg')}:colorspace={matrix}"
    textured(tmp_path / "in.mp4", options=("-vf", f"setparams={tags}:range={'pc' if full else 'tv'}"))
    analysis = bare_analysis(tmp_path / "in.mp4")
    color = analysis.video.color
    assert (color.primaries, color.transfer, color.matrix, color.range) == (
        primaries, transfer, matrix, "pc" if full else "tv",
    )  # fmt: skip
    (clip,) = ClipRenderer(SETTINGS).render(analysis, [crop(analysis)], tmp_path / "out").clips
    assert probe_video(tmp_path / "out" / clip.file).color == color


def test_a_video_without_audio_gives_clips_without_audio(tmp_path):
    write_video(tmp_path / "mute.mp4", frame_times()[:30], audio=None)
    analysis = bare_analysis(tmp_path / "mute.mp4")
    (clip,) = ClipRenderer(SETTINGS).render(analysis, [crop(analysis)], tmp_path).clips
    assert not clip.has_sound
    with av.open(str(tmp_path / clip.file)) as container:
        assert not container.streams.audio and container.streams.video[0].average_rate == 25


def test_audio_that_is_shorter_than_the_video_becomes_silence(tmp_path):
    write_video(tmp_path / "short.mp4", frame_times(), audio=(0.7, 2.0))
    analysis = bare_analysis(tmp_path / "short.mp4")
    (clip,) = ClipRenderer(SETTINGS).render(analysis, [crop(analysis)], tmp_path).clips
    _, _, audio_times, loudness = read_clip(tmp_path / clip.file)
    assert np.allclose(onsets(audio_times, loudness, 0.1), [0.92, 1.4, 1.92], atol=0.005)
    assert audio_times[-1] >= END_S - 0.001
    assert loudness[audio_times > 2.1].max() < 0.01 and loudness[audio_times < 0.65].max() < 0.01


def test_the_right_frames_are_shown(plain, tmp_path):
    path = crop(plain, 20, 50)
    windows = np.tile([0.0, 0.0, 64.0, 64.0], (30, 1))
    path = CropPath(path.segment, path.source_frames, windows, 64, 64)
    (clip,) = ClipRenderer(SETTINGS).render(plain, [path], tmp_path).clips
    with av.open(str(tmp_path / clip.file)) as container:
        marks = [frame.to_ndarray()[1:6, 8:56].mean() for frame in container.decode(video=0)]
    assert np.allclose(marks, 16 + (np.arange(20, 50) % 64) * 3, atol=2)


def test_frames_missing_this_time_repeat_the_last_one(plain, tmp_path, monkeypatch):
    original = VideoReader.frames
    monkeypatch.setattr(
        VideoReader,
        "frames",
        lambda self, a, b: (f for i, f in enumerate(original(self, a, b)) if i not in (0, 7, 8, 29)),
    )
    result = ClipRenderer(SETTINGS).render(plain, [crop(plain, 10, 40)], tmp_path)
    assert result.repeated_frames == 4
    assert len(read_clip(tmp_path / result.clips[0].file)[0]) == 30


class Inverted:
    """An effect that inverts luma in the columns left of `columns`."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.seen: list[tuple[tuple[float, ...], int]] = []

    @property
    def facts(self):
        return {"effect": "inverted", "columns": self.columns}

    def apply(self, planes, window, frame_index):
        self.seen.append((tuple(window), frame_index))
        planes[0][:, : self.columns] = 255 - planes[0][:, : self.columns]
        return planes


def test_an_effect_changes_each_cropped_frame_before_it_is_encoded(tmp_path):
    source = textured(tmp_path / "noise.mp4")
    analysis = bare_analysis(tmp_path / "noise.mp4")
    path = crop(analysis, 1, 4)
    path = CropPath(path.segment, path.source_frames, np.tile([0.0, 0.0, 64.0, 64.0], (3, 1)), 64, 64)
    lossless = Settings(clip=ClipSettings(size=64), encode=EncodeSettings(preset="ultrafast", quality=0, codec="x264"))
    effect = Inverted(32)
    (clip,) = ClipRenderer(lossless, effects=lambda _: (effect,)).render(analysis, [path], tmp_path / "out").clips
    images = decoded(tmp_path / "out" / clip.file)
    for stored, image in zip(source[1:], images, strict=True):
        assert np.array_equal(image[:64, :32], 255 - stored[:64, :32])
        assert np.array_equal(image[:64, 32:], stored[:64, 32:64])
    assert effect.seen == [((0.0, 0.0, 64.0, 64.0), frame) for frame in (1, 2, 3)]


def test_a_clip_of_an_interrupted_run_is_only_reused_with_the_same_effects(plain, tmp_path, monkeypatch):
    made = []

    class CountedWriter(ClipWriter):
        def __enter__(self):
            made.append(1)
            return super().__enter__()

    monkeypatch.setattr(clip_task, "ClipWriter", CountedWriter)

    def chosen(effects, _):
        return effects

    counts = []
    for effects in ((), (), (Inverted(8),), (Inverted(8),), (Inverted(9),), (Inverted(9), Inverted(8))):
        renderer = ClipRenderer(SETTINGS, effects=functools.partial(chosen, effects))
        renderer.render(plain, [crop(plain, 0, 5)], tmp_path, FinishedClips(tmp_path, "aa"))
        counts.append(len(made))
    assert counts == [1, 1, 2, 2, 3, 4]
