"""The batch with scripted work: order, faults, the overlap of two videos, and how it is stopped."""

from __future__ import annotations

import _thread
import json
import logging
import signal
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings
from core.errors import (
    DecodeError,
    GPUMemoryError,
    InterruptedRunError,
    ModelUnavailableError,
    OutputError,
    SettingsError,
    ToolMissingError,
)
from core.media import video_probe
from core.settings_file import load_settings
from processors.batch.batch_inputs import BatchInput, find_inputs
from processors.batch.batch_request import BatchRequest
from processors.batch.executor import VideoJob
from processors.batch_runner import run_batch
from processors.workers import video_pipeline
from processors.workers.video_processor_factory import VideoProcessorFactory
from tests.material.scripted_batch import Script, hidden, pretend_probe, pretend_videos, run, statuses, video_info
from utils.console.batch_monitor import BatchMonitor
from utils.console.stage_monitor import StageMonitor
from utils.fingerprints import Fingerprint

pytestmark = pytest.mark.errors_expected  # a failed input is logged as an error
probe = pytest.fixture(autouse=True)(pretend_probe)
videos = pytest.fixture(pretend_videos)


def wait_for_stop(monitor) -> None:
    if not monitor.stop.wait(20):
        raise AssertionError("nobody set the stop event")
    raise InterruptedRunError("stopped")


def test_all_done_in_order_with_a_summary(videos):
    script = Script()
    summary = run(videos, script)
    assert summary.exit_code == 0
    assert [(r.name, r.status, r.people, r.clips, r.duration_s) for r in summary.results] == [
        (n, "done", 1, 1, 2.0) for n in "abcd"
    ]
    assert [name for step, name in script.events if step == "finish"] == list("abcd")
    written = json.loads((videos.parent / "out" / "summary.json").read_text())
    assert [(e["folder"], e["status"], e["clips"]) for e in written["inputs"]] == [(n, "done", 1) for n in "abcd"]
    assert script.threads == {"analyse": {"analyse"}, "finish": {"finish"}}


def test_the_next_video_is_analysed_while_one_is_finished_and_none_further_ahead_than_two(videos):
    script, gate, third = Script(), threading.Event(), threading.Event()
    script.steps["finish", "a"] = lambda _: gate.wait(20)
    script.steps["analyse", "c"] = lambda _: third.set()
    worker = threading.Thread(target=run, args=(videos, script))
    worker.start()
    assert third.wait(20)
    time.sleep(0.3)
    # a is being finished, b waits in the queue, c is analysed and waits for room: d must not begin.
    assert ("analyse", "d") not in script.events
    assert ("finish end", "a") not in script.events
    gate.set()
    worker.join(20)
    assert ("finish end", "d") in script.events


def test_networks_are_let_go_when_nothing_is_left_to_analyse(videos, monkeypatch):
    script, released = Script(), threading.Event()
    script.steps["finish", "d"] = lambda _: script.events.append(("waited", str(released.wait(20))))

    def release(_: VideoProcessorFactory) -> None:
        script.events.append(("release", ""))
        released.set()

    monkeypatch.setattr(VideoProcessorFactory, "release", release)
    assert run(videos, script).exit_code == 0
    assert [event for event in script.events if event[0] in ("analyse end", "release")][-2:] == [
        ("analyse end", "d"),
        ("release", ""),
    ]
    assert ("waited", "True") in script.events, "clips are encoded without them"


def test_networks_that_were_never_loaded_are_not_loaded_to_be_let_go(tmp_path):
    asked: list[str] = []

    def load(_: Settings) -> Any:
        asked.append("load")
        return SimpleNamespace(release=lambda: asked.append("release"))

    processors = VideoProcessorFactory(Settings(), tmp_path, load)
    processors.release()
    assert asked == []
    settings = load_settings(None, {"run": {"cache": False}})
    path = tmp_path / "a.mp4"
    job = VideoJob(BatchInput(path, "a"), video_info(path), Fingerprint(1, "0"), tmp_path, settings)
    processor = processors(job, StageMonitor())
    processor.prepare()
    processors.release()
    assert asked == ["load", "release"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DecodeError("is broken", path="b.mp4", hint="copy it again"), "is broken (copy it again)"),
        (SettingsError("is wrong", path="out/b/timeline.json"), "timeline.json: is wrong"),
        (GPUMemoryError("no room"), "no room"),
        (OSError(13, "Permission denied", "/secret/folder/b"), "Permission denied: b"),
        (ValueError("what\nis this"), "unexpected ValueError: what\\nis this (run again with -v for details)"),
        (MemoryError(), "unexpected MemoryError:  (run again with -v for details)"),
    ],
)
@pytest.mark.parametrize("step", ["analyse", "finish"])
def test_one_bad_file_never_stops_the_rest(videos, step, error, reason):
    script = Script()
    script.steps[step, "b"] = error
    summary = run(videos, script)
    assert statuses(summary) == ["done", "failed", "done", "done"]
    assert summary.results[1].reason == reason
    assert summary.exit_code == 1
    assert not (videos.parent / "out" / "b").exists()
    assert hidden(videos) == []


def test_what_is_not_a_video_is_refused_without_any_work(videos):
    (videos / "b.mp4").write_bytes(b"not a video")
    script = Script()
    inputs = find_inputs([str(videos), str(videos / "gone.mp4")], videos.parent / "out")
    request = BatchRequest(inputs, videos.parent / "out", Settings())
    summary = run_batch(request, BatchMonitor(), script.make)
    assert statuses(summary) == ["done", "failed", "done", "done", "failed"]
    assert summary.results[1].reason == "not a video (try another)"
    assert summary.results[4].reason == "no such file"
    assert ("analyse", "b") not in script.events


@pytest.mark.parametrize("step", ["analyse", "finish"])
@pytest.mark.parametrize("error", [ModelUnavailableError("no weights"), ToolMissingError("no ffmpeg")])
def test_a_missing_model_or_tool_ends_the_batch(videos, step, error):
    script = Script()
    script.steps[step, "b"] = error
    summary = run(videos, script)
    assert summary.exit_code == 3
    assert summary.fatal is error
    assert statuses(summary)[:2] == ["done", "failed"]
    assert statuses(summary)[3] == "interrupted"
    assert ("analyse", "d") not in script.events or step == "finish"


@pytest.fixture
def ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, even where the tests were started in the background of a script."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("how", ["event", "exception"])
@pytest.mark.parametrize("step", ["analyse", "finish"])
def test_an_interrupt_ends_it_within_two_seconds_and_says_what_is_done(videos, step, how, ctrl_c):
    run(videos, Script())
    for name in "bcd":
        (videos / f"{name}.mp4").write_bytes(f"changed {name}".encode())
    script = Script()

    def interrupt(monitor) -> None:
        script.at = time.monotonic()
        time.sleep(0.2)  # until the main thread waits
        monitor.stop.set() if how == "event" else _thread.interrupt_main()
        wait_for_stop(monitor)

    script.steps[step, "c"] = interrupt
    summary = run(videos, script)
    assert time.monotonic() - script.at < 2
    assert summary.interrupted and not summary.abandoned
    assert summary.exit_code == 130
    assert statuses(summary)[0] == "cached"
    assert set(statuses(summary)[1:]) <= {"done", "interrupted"}
    assert statuses(summary)[2:] == ["interrupted", "interrupted"]
    assert hidden(videos) == []
    # What was there before an unfinished redo is there still.
    assert (videos.parent / "out" / "c" / "person_01" / "clip.mp4").read_bytes() == b"clip"
    written = json.loads((videos.parent / "out" / "summary.json").read_text())
    assert [e["status"] for e in written["inputs"]] == statuses(summary)


def test_a_worker_that_does_not_listen_is_left_behind(videos):
    script, release = Script(), threading.Event()

    def deaf(monitor) -> None:
        script.at = time.monotonic()
        monitor.stop.set()
        release.wait(20)

    script.steps["finish", "a"] = deaf
    try:
        summary = run(videos, script)
        assert time.monotonic() - script.at < 2.5
        assert summary.abandoned and summary.exit_code == 130
        assert hidden(videos) == []
    finally:
        release.set()
        for thread in [t for t in threading.enumerate() if t.name == "finish"]:
            thread.join(20)


def test_an_error_of_the_batch_itself_is_raised(videos, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(video_pipeline, "give_back_memory", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        run(videos, Script())


def test_the_first_video_is_analysed_while_others_are_still_being_looked_at(videos, probe, monkeypatch):
    script, begun = Script(), threading.Event()
    script.steps["analyse", "a"] = lambda _: begun.set()

    def slow(path, video_stream=0):
        assert path.stem != "d" or begun.wait(20)
        return probe(path, video_stream)

    monkeypatch.setattr(video_probe, "probe_video", slow)
    assert statuses(run(videos, script)) == ["done"] * 4


def test_the_monitor_hears_of_every_video(videos):
    class Listener(BatchMonitor):
        def __init__(self) -> None:
            super().__init__()
            self.weights: dict[str, float] = {}
            self.ended: list[str] = []

        def begin(self, videos, at_a_time=1) -> None:
            self.videos = videos

        def expect(self, name, weight) -> None:
            self.weights[name] = weight

        def end_video(self, name) -> None:
            self.ended.append(name)

    (videos / "a.mp4").write_bytes(b"not a video")
    script, monitor = Script(), Listener()
    script.steps["analyse", "c"] = DecodeError("is broken")
    run(videos, script, monitor)
    assert monitor.videos == 4
    assert monitor.weights == {"b": 2.0, "c": 2.0, "d": 2.0}
    assert sorted(monitor.ended) == ["a", "b", "c", "d"]


def test_an_output_folder_that_cannot_be_made(videos):
    (videos.parent / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        run(videos, Script())


def test_tracebacks_are_for_those_who_ask(videos, caplog):
    script = Script()
    script.steps["analyse", "b"] = ValueError("odd")
    with caplog.at_level(logging.DEBUG, "processors"):
        run(videos, script)
    assert any(r.exc_info and r.levelno == logging.DEBUG for r in caplog.records)
    assert not any(r.exc_info for r in caplog.records if r.levelno > logging.DEBUG)


def test_models_that_cannot_be_loaded_are_one_line_and_exit_3(videos, monkeypatch):
    import core.model_manager

    def broken(settings):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(core.model_manager.ModelManager, "instance", broken)
    inputs = find_inputs([str(videos)], videos.parent / "out")
    summary = run_batch(BatchRequest(inputs, videos.parent / "out", Settings()), BatchMonitor())
    assert summary.exit_code == 3
    assert "matching releases" in summary.results[0].reason
    assert "requirements.txt" in summary.results[0].reason
    assert statuses(summary) == ["failed", *["interrupted"] * 3]
