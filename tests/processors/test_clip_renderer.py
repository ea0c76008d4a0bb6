"""Whole clips from generated videos: frames, rates, audio, sync, faults, stopping."""

import functools
import logging
import threading
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.quality.sync import CASES, bare_analysis, measure
from config import ClipSettings, EncodeSettings, Settings
from core.errors import EncodeError, InterruptedRunError, OutputError, ToolMissingError
from core.media import clip_writer
from core.media.clip_writer import ClipWriter
from core.media.h264_encoder import NVENC, encoder_options
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.thread_budget import ThreadBudget
from core.types import CropPath, Segment
from processors import clip_renderer
from processors.clip_renderer import ClipRenderer
from processors.clips import render_worker
from processors.clips.clip_names import clip_files
from processors.clips.clip_shares import clip_share
from processors.clips.constant_rate import shown_frames
from processors.clips.render_context import RenderContext
from processors.clips.render_worker import RenderWorker
from processors.clips.resume_journal import FinishedClips
from tests.material.flash_beep import END_S, frame_times, onsets, read_clip, write_video
from tests.material.small_disk import no_file_above
from tests.material.small_videos import run_ffmpeg
from tests.utils.test_helper_threads import Lines
from utils.json_log import log_context
from utils.stage_monitor import StageMonitor

SETTINGS = Settings(clip=ClipSettings(size=64), encode=EncodeSettings(preset="ultrafast"))
QUICK = ("CFR 25", "VFR, first pts 1.4 s")
"""synchronisation cases of the fast lane"""


def crop(analysis, start=0, end=None, person="person_01", size=64):
    end = analysis.frame_count if end is None else end
    rows = shown_frames(analysis, start, end)
    windows = np.tile([16.0, 8.0, 112.0, 104.0], (len(rows), 1))
    return CropPath(Segment(person, 0, start, end, (0,)), rows, windows, size, size)


def leftovers(folder):
    return [p.name for p in Path(folder).rglob(".partial-*")]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "plain.mp4"
    write_video(path, frame_times())
    return bare_analysis(path)


@pytest.mark.parametrize("case", [pytest.param(c, marks=[] if c in QUICK else pytest.mark.slow) for c in CASES])
def test_video_and_audio_stay_in_sync(case, tmp_path):
    silent_before, silent_after = ("later" in case), ("ends" in case)
    for sync in measure(case, tmp_path):
        assert max(abs(sync.at_first_picture_s), abs(sync.at_last_picture_s), sync.worst_s) <= 0.02
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
        times, _, sound_times, _ = read_clip(tmp_path / "out" / clip.file)
        assert len(times) == len(path.source_frames) == clip.frames
        assert np.allclose(times, np.arange(len(times)) / rate, atol=2e-3)
        assert abs(sound_times[0]) < 1e-3
        assert -1e-3 <= len(sound_times) * (sound_times[1] - sound_times[0]) - len(times) / rate < 1024 / 8000


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
    write_video(tmp_path / "mute.mp4", frame_times()[:30], sound=None)
    analysis = bare_analysis(tmp_path / "mute.mp4")
    (clip,) = ClipRenderer(SETTINGS).render(analysis, [crop(analysis)], tmp_path).clips
    assert not clip.has_sound
    with av.open(str(tmp_path / clip.file)) as container:
        assert not container.streams.audio and container.streams.video[0].average_rate == 25


def test_audio_that_is_shorter_than_the_video_becomes_silence(tmp_path):
    write_video(tmp_path / "short.mp4", frame_times(), sound=(0.7, 2.0))
    analysis = bare_analysis(tmp_path / "short.mp4")
    (clip,) = ClipRenderer(SETTINGS).render(analysis, [crop(analysis)], tmp_path).clips
    _, _, sound_times, loudness = read_clip(tmp_path / clip.file)
    assert np.allclose(onsets(sound_times, loudness, 0.1), [0.92, 1.4, 1.92], atol=0.005)
    assert sound_times[-1] >= END_S - 0.001
    assert loudness[sound_times > 2.1].max() < 0.01 and loudness[sound_times < 0.65].max() < 0.01


@pytest.mark.slow
def test_more_overlapping_clips_than_encoders(plain, tmp_path, monkeypatch):
    paths = [crop(plain, 3 * i, 60 + 3 * i, f"person_{i:02d}") for i in range(5)] + [crop(plain, 80, 100)]
    seen = []
    monitor = StageMonitor()
    monkeypatch.setattr(monitor, "update", lambda stage, done, total: seen.append((stage, done, total)))
    result = ClipRenderer(SETTINGS, monitor, max_encoders=2).render(plain, paths, tmp_path)
    for path, clip in zip(paths, result.clips, strict=True):
        assert len(read_clip(tmp_path / clip.file)[0]) == len(path.source_frames)
    assert seen[-1] == ("render", 320, 320) and [d for _, d, _ in seen] == sorted(d for _, d, _ in seen)
    # The same clip rendered alone has the same bytes.
    alone = ClipRenderer(SETTINGS).render(plain, [paths[2]], tmp_path / "alone").clips[0]
    assert (tmp_path / "alone" / alone.file).read_bytes() == (tmp_path / result.clips[2].file).read_bytes()


def test_each_clip_is_reported_when_its_file_is_complete(plain, tmp_path):
    paths = [crop(plain, 3 * i, 60 + 3 * i, f"person_{i:02d}") for i in range(3)]
    told = {}

    def completed(clip):
        told[clip] = (tmp_path / clip.file).read_bytes()

    result = ClipRenderer(SETTINGS, max_encoders=2).render(plain, paths, tmp_path, None, completed)
    assert told == {clip: (tmp_path / clip.file).read_bytes() for clip in result.clips}


@pytest.mark.slow
def test_several_workers_make_the_same_bytes_as_one(plain, tmp_path, monkeypatch):
    paths = [crop(plain, a, b, f"p{n}") for n, (a, b) in enumerate([(0, 20), (10, 30), (30, 50), (50, 80), (85, 99)])]
    workers = set()
    make = RenderWorker._make

    def noted(self, part):
        workers.add(self)
        return make(self, part)

    monkeypatch.setattr(RenderWorker, "_make", noted)
    monkeypatch.setattr(clip_renderer, "thread_budget", lambda _: ThreadBudget(4, 2, 1, 1))
    results = {}
    lying = replace(plain, statistics={**plain.statistics, "false_key_frames": 1})
    repaired = replace(plain, statistics={**plain.statistics, "repaired_times": 1})
    for name, analysis in (("several", plain), ("one", repaired), ("one more", lying)):
        workers.clear()
        results[name] = ClipRenderer(SETTINGS).render(analysis, paths, tmp_path / name), len(workers)
    assert results["several"][1] == 2 and results["one"][1] == results["one more"][1] == 1
    assert results["several"][0] == results["one"][0]
    for clip in results["one"][0].clips:
        assert (tmp_path / "one" / clip.file).read_bytes() == (tmp_path / "several" / clip.file).read_bytes()


def test_a_worker_returns_memory_over_all_its_parts(plain, tmp_path, monkeypatch):
    """A part may be shorter than the time between two returns."""
    made, asked = [], []

    def memory_return():
        made.append(1)
        return lambda: asked.append(1)

    monkeypatch.setattr(render_worker, "MemoryReturn", memory_return)
    monkeypatch.setattr(clip_renderer, "thread_budget", lambda _: ThreadBudget(1, 1, 1, 1))
    ClipRenderer(SETTINGS).render(plain, [crop(plain, 20 * i, 20 * i + 20) for i in range(4)], tmp_path)
    assert len(made) == 1 and len(asked) >= 80


def test_a_worker_lets_go_of_finished_clips(plain, tmp_path, monkeypatch):
    """Each of the thousands of an hour keeps a thread, a queue and a process object."""
    held = []
    start = RenderWorker._start

    def noted(self, spec, slots):
        task = start(self, spec, slots)
        held.append(len(self._tasks))
        return task

    monkeypatch.setattr(RenderWorker, "_start", noted)
    monkeypatch.setattr(clip_renderer, "thread_budget", lambda _: ThreadBudget(1, 1, 1, 1))
    paths = [crop(plain, 12 * i, 12 * i + 6, f"p{i}") for i in range(8)]
    assert len(ClipRenderer(SETTINGS, max_encoders=1).render(plain, paths, tmp_path).clips) == 8
    assert len(held) == 8 and max(held) <= 3


@pytest.mark.slow
@pytest.mark.parametrize(("encoder", "most"), [("libx264", 4), (NVENC, 2)])
def test_workers_together_open_no_more_clips_than_allowed(plain, tmp_path, monkeypatch, encoder, most):
    counts, lock, reached = [0], threading.Lock(), threading.Event()
    enter, leave = ClipWriter.__enter__, ClipWriter.__exit__

    def count(step: int) -> None:
        with lock:
            counts.append(counts[-1] + step)
            if counts[-1] >= most:
                reached.set()

    def entering(self):
        count(1)
        reached.wait(20)  # however the threads are scheduled, as many as may are open together once
        self._build = (*self._build[:6], "libx264", *self._build[7:])
        return enter(self)

    def leaving(self, *error):
        count(-1)
        leave(self, *error)

    monkeypatch.setattr(ClipWriter, "__enter__", entering)
    monkeypatch.setattr(ClipWriter, "__exit__", leaving)
    monkeypatch.setattr(clip_renderer, "choose_encoder", lambda *_: encoder)
    monkeypatch.setattr(clip_renderer, "_MAX_SESSIONS", {NVENC: 2})
    monkeypatch.setattr(clip_renderer, "thread_budget", lambda _: ThreadBudget(8, 2, 1, 1))
    paths = [crop(plain, 12 * i, 12 * i + 12, f"p{p}") for i in range(7) for p in range(2)]
    result = ClipRenderer(SETTINGS, max_encoders=4).render(plain, paths, tmp_path)
    assert len(result.clips) == 14 and max(counts) == most


def test_a_failure_of_one_worker_ends_the_others(plain, tmp_path, monkeypatch):
    threads = set(threading.enumerate())
    write, written = ClipWriter.write, []

    def failing(self, *planes):
        if "p1" in str(self._target):
            raise EncodeError("it fails", path=self._target)
        time.sleep(0.05)
        written.append(self)
        write(self, *planes)

    monkeypatch.setattr(clip_renderer, "thread_budget", lambda _: ThreadBudget(2, 2, 1, 1))
    monkeypatch.setattr(ClipWriter, "write", failing)
    with pytest.raises(EncodeError, match="it fails"):
        ClipRenderer(SETTINGS).render(plain, [crop(plain, 0, 50, "p0"), crop(plain, 50, 99, "p1")], tmp_path)
    assert len(written) < 50
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    assert set(threading.enumerate()) <= threads


@pytest.mark.parametrize(
    ("cpus", "px", "workers"),
    [(1, 9e5, 1), (2, 921_600, 2), (2, 2_073_600, 1), (4, 2_073_600, 2), (16, 8_294_400, 2), (4, 3e5, 3)],
)
def test_workers_by_cpus_and_frame_size(cpus, px, workers):
    assert clip_renderer.worker_count(cpus, int(px)) == workers


@pytest.mark.slow
def test_waiting_for_an_encoder_slot_is_not_busy_waiting(plain, tmp_path, monkeypatch):
    asked = []
    leave, finish = RenderContext.leave_if_stopped, ClipWriter._finish

    def counted(self):
        asked.append(1)
        return leave(self)

    def slow(self):
        time.sleep(0.3)  # the first clip has ended long before the next ones have to wait
        return finish(self)

    monkeypatch.setattr(RenderContext, "leave_if_stopped", counted)
    monkeypatch.setattr(ClipWriter, "_finish", slow)
    paths = [crop(plain, 20 * i, 20 * i + 20, f"person_{p}") for i in range(4) for p in range(2)]
    begin = time.monotonic()
    result = ClipRenderer(SETTINGS, max_encoders=2).render(plain, paths, tmp_path)
    assert len(result.clips) == 8
    # Once per frame and clip, and every 0.05 s while waiting; a busy wait asks thousands of times per second.
    assert len(asked) < 200 + 100 * (time.monotonic() - begin)


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
    finish = ClipWriter._finish

    def counted(self):
        made.append(1)
        return finish(self)

    monkeypatch.setattr(ClipWriter, "_finish", counted)

    def chosen(effects, _):
        return effects

    counts = []
    for effects in ((), (), (Inverted(8),), (Inverted(8),), (Inverted(9),), (Inverted(9), Inverted(8))):
        renderer = ClipRenderer(SETTINGS, effects=functools.partial(chosen, effects))
        renderer.render(plain, [crop(plain, 0, 5)], tmp_path, FinishedClips(tmp_path, "aa"))
        counts.append(len(made))
    assert counts == [1, 1, 2, 2, 3, 4]


def test_shares_of_a_video_are_the_clips_that_one_process_makes(plain, tmp_path, monkeypatch):
    """Whoever completes the folder encodes nothing."""
    paths = [crop(plain, 0, 10), crop(plain, 5, 20, "person_02"), crop(plain, 20, 30), crop(plain, 30, 45)]
    segments = [path.segment for path in paths]
    files = clip_files(segments, plain, SETTINGS.clip.template)
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    for folder in (whole, shared):
        folder.mkdir()
    alone = ClipRenderer(SETTINGS).render(plain, paths, whole, FinishedClips(whole, "aa"))
    for number in range(3):
        share = clip_share(segments, number, 3)
        finished = FinishedClips(shared, "aa", is_shared=True)
        chosen = [paths[i] for i in share]
        ClipRenderer(SETTINGS).render(plain, chosen, shared, finished, files=[files[i] for i in share])

    def refuse(*_):
        raise AssertionError("everything is there")

    monkeypatch.setattr(clip_renderer, "RenderWorker", refuse)
    rest = ClipRenderer(SETTINGS).render(plain, paths, shared, FinishedClips(shared, "aa"))
    assert rest == alone
    assert all((shared / clip.file).read_bytes() == (whole / clip.file).read_bytes() for clip in alone.clips)


def test_stop_leaves_nothing(plain, tmp_path, monkeypatch):
    monitor = StageMonitor(threading.Event())
    threads = set(threading.enumerate())
    started: list[float] = []

    def update(stage, done, total):
        if done > 5 and not started:
            started.append(time.monotonic())
            monitor.stop.set()

    monkeypatch.setattr(monitor, "update", update)
    with pytest.raises(InterruptedRunError):
        ClipRenderer(SETTINGS, monitor).render(plain, [crop(plain), crop(plain, 2, 90, "p2")], tmp_path)
    assert time.monotonic() - started[0] < 2
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    assert set(threading.enumerate()) <= threads


@pytest.mark.slow
def test_an_encoder_that_fails_in_mid_run_is_replaced(plain, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(clip_renderer, "choose_encoder", lambda *_: NVENC)
    options = encoder_options

    def broken(encoder, *rest):
        return options(encoder, *rest) if encoder != NVENC else {"vcodec": "libx264", "preset": "broken"}

    monkeypatch.setattr(clip_writer, "encoder_options", broken)
    with caplog.at_level(logging.WARNING):
        result = ClipRenderer(SETTINGS).render(plain, [crop(plain), crop(plain, 2, 90, "p2")], tmp_path)
    assert result.encoder == "libx264"
    assert len(result.clips) == 2 and all((tmp_path / clip.file).stat().st_size for clip in result.clips)
    assert f"{NVENC} failed" in caplog.text and "libx264" in caplog.text
    assert not leftovers(tmp_path)
    # The first clip has all its frames before it fails, while the second one waits for a slot.
    result = ClipRenderer(SETTINGS, max_encoders=1).render(plain, [crop(plain, 0, 3), crop(plain, 10, 30)], tmp_path)
    assert [clip.frames for clip in result.clips] == [3, 20]
    demanded = Settings(clip=SETTINGS.clip, encode=EncodeSettings(codec="nvenc"))
    with pytest.raises(EncodeError, match="the encoder"):
        ClipRenderer(demanded).render(plain, [crop(plain)], tmp_path)


def test_the_encoder_is_tried_with_the_size_that_the_video_gives(plain, tmp_path, monkeypatch):
    tried = []

    def refused(*size):
        tried.append(size)
        raise ToolMissingError("no encoder")

    monkeypatch.setattr(clip_renderer, "choose_encoder", refused)
    with pytest.raises(ToolMissingError):
        ClipRenderer(Settings(clip=ClipSettings(size="source", aspect="4:1"))).render(plain, [crop(plain)], tmp_path)
    assert tried == [("auto", 4 * plain.video.height, plain.video.height)]


def test_encoder_killed_in_mid_clip(plain, tmp_path, monkeypatch):
    write = ClipWriter.write

    def killing(self, y, u, v):
        if self.frames == 20:
            self._process.kill()
            self._process.wait()
        write(self, y, u, v)

    monkeypatch.setattr(ClipWriter, "write", killing)
    with pytest.raises(EncodeError) as caught:
        ClipRenderer(SETTINGS).render(plain, [crop(plain)], tmp_path)
    assert caught.value.exit_code == -9 and "libx264" in caught.value.command
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_no_disk_space_for_the_audio(plain, tmp_path):
    with no_file_above(2000), pytest.raises(OutputError, match="its audio cannot be written"):
        ClipRenderer(SETTINGS).render(plain, [crop(plain)], tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_no_disk_space_for_the_video(plain, tmp_path):
    silent = replace(plain, video=replace(plain.video, audio=()))
    with no_file_above(2000), pytest.raises(EncodeError, match="exit code"):
        ClipRenderer(SETTINGS).render(silent, [crop(plain)], tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_log_lines_of_helper_threads_carry_the_video(plain, tmp_path, monkeypatch):
    log, lines = logging.getLogger("some.helper"), Lines()
    log.setLevel(logging.WARNING)  # runs of the program in other tests change what is passed on
    log.propagate = False
    log.addHandler(lines)
    for where, name in ((VideoReader, "frames"), (ClipWriter, "write"), (ClipWriter, "_listen")):
        before = getattr(where, name)

        def logging_first(self, *arguments, before=before):
            log.warning("a line")
            return before(self, *arguments)

        monkeypatch.setattr(where, name, logging_first)
    with log_context("film", "finish"):
        ClipRenderer(SETTINGS).render(plain, [crop(plain)], tmp_path)
    log.removeHandler(lines)
    assert {"prefetch", "ffmpeg stderr"} < {thread for thread, _ in lines.lines}
    assert all('"video": "film", "stage": "finish"' in line for _, line in lines.lines)
