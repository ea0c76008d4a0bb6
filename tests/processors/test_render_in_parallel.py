"""Clips rendered at several places of the video at a time: the same bytes, bounded encoders, threads and memory."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

import pytest

from core.errors import EncodeError
from core.media import clip_writer
from core.media.clip_writer import ClipWriter
from core.media.h264_encoder import NVENC
from core.media.video_reader import VideoReader
from core.thread_budget import ThreadBudget
from processors import clip_renderer
from processors.clip_renderer import ClipRenderer
from processors.clips import render_worker
from processors.clips.clip_names import clip_files
from processors.clips.clip_shares import clip_share
from processors.clips.clip_task import ClipTask
from processors.clips.render_context import RenderContext
from processors.clips.render_worker import RenderWorker
from processors.clips.resume_journal import FinishedClips
from tests.material.flash_beep import read_clip
from tests.material.rendered_clips import SETTINGS, crop, plain_analysis
from tests.utils.processes.test_helper_threads import Lines
from utils.console.json_log import log_context
from utils.console.stage_monitor import StageMonitor
from utils.processes.helper_threads import helper_thread

plain = pytest.fixture(scope="module")(plain_analysis)


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
    make = RenderWorker.make

    def noted(self, part):
        workers.add(self)
        return make(self, part)

    monkeypatch.setattr(RenderWorker, "make", noted)
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


def test_a_worker_releases_finished_clips(plain, tmp_path, monkeypatch):
    """Each of the thousands of an hour keeps a thread, a queue and a process object."""
    workers, held = [], []
    start_worker, start_clip = RenderWorker.start, ClipTask.start

    def noted(self):
        workers.append(self)
        start_worker(self)

    def counted(self, *arguments):
        held.append(len(workers[0].tasks))
        start_clip(self, *arguments)

    monkeypatch.setattr(RenderWorker, "start", noted)
    monkeypatch.setattr(ClipTask, "start", counted)
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
        self._encoding = replace(self._encoding, encoder="libx264")
        return enter(self)

    def leaving(self, *error):
        count(-1)
        leave(self, *error)

    monkeypatch.setattr(ClipWriter, "__enter__", entering)
    monkeypatch.setattr(ClipWriter, "__exit__", leaving)
    monkeypatch.setattr(clip_renderer, "choose_encoder", lambda *_: encoder)
    monkeypatch.setattr(clip_renderer, "MAX_SESSIONS", {NVENC: 2})
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


@pytest.mark.parametrize(
    ("cpus", "px", "rows", "slots"),
    [(2, 921_600, 2000, 6), (2, 921_600, 2001, 4), (2, 2_073_600, 300, 4), (8, 2_073_600, 300, 8), (8, 3e5, 300, 8)],
)
def test_slots_by_cpus_and_length(cpus, px, rows, slots):
    assert clip_renderer.slot_count(cpus, int(px), rows) == slots


def test_pages_are_prepared_when_encoding_has_begun(plain, tmp_path, monkeypatch):
    done: list[str] = []
    write = ClipWriter.write

    def writing(self, *planes):
        done.append("frame")
        write(self, *planes)

    monkeypatch.setattr(ClipWriter, "write", writing)
    renderer = ClipRenderer(SETTINGS, begun=lambda: done.append("begun"))
    renderer.render(plain, [crop(plain, 0, 30, "p0"), crop(plain, 30, 60, "p1")], tmp_path)
    assert done.count("begun") == 1 and done[0] == "frame" and len(done) == 61


@pytest.mark.slow
def test_waiting_for_an_encoder_slot_is_not_busy_waiting(plain, tmp_path, monkeypatch):
    asked = []
    leave, close = RenderContext.leave_if_stopped, ClipWriter.__exit__

    def counted(self):
        asked.append(1)
        return leave(self)

    def slow(self, *error):
        time.sleep(0.3)  # the first clip has ended long before the next ones have to wait
        return close(self, *error)

    monkeypatch.setattr(RenderContext, "leave_if_stopped", counted)
    monkeypatch.setattr(ClipWriter, "__exit__", slow)
    paths = [crop(plain, 20 * i, 20 * i + 20, f"person_{p}") for i in range(4) for p in range(2)]
    begin = time.monotonic()
    result = ClipRenderer(SETTINGS, max_encoders=2).render(plain, paths, tmp_path)
    assert len(result.clips) == 8
    # Once per frame and clip, and every 0.05 s while waiting; a busy wait asks thousands of times per second.
    assert len(asked) < 200 + 100 * (time.monotonic() - begin)


def test_log_lines_of_helper_threads_carry_the_video(plain, tmp_path, monkeypatch):
    log, lines = logging.getLogger("some.helper"), Lines()
    log.setLevel(logging.WARNING)  # runs of the program in other tests change what is passed on
    log.propagate = False
    log.addHandler(lines)
    for where, name in ((VideoReader, "frames"), (ClipWriter, "write")):
        before = getattr(where, name)

        def logging_first(self, *arguments, before=before):
            log.warning("a line")
            return before(self, *arguments)

        monkeypatch.setattr(where, name, logging_first)

    def logging_thread(work, **options):
        def logged():
            log.warning("a line")
            work()

        return helper_thread(logged, **options)

    monkeypatch.setattr(clip_writer, "helper_thread", logging_thread)
    with log_context("film", "finish"):
        ClipRenderer(SETTINGS).render(plain, [crop(plain)], tmp_path)
    log.removeHandler(lines)
    assert {"prefetch", "ffmpeg stderr"} < {thread for thread, _ in lines.lines}
    assert all('"video": "film", "stage": "finish"' in line for _, line in lines.lines)


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
