"""The batch with scripted work: order, faults, what is skipped, the overlap, and how it is stopped."""

from __future__ import annotations

import _thread
import dataclasses
import hashlib
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import VERSION, Settings, result_settings
from core.errors import (
    DeadDeviceError,
    DecodeError,
    GPUMemoryError,
    InterruptedRunError,
    InvalidVideoError,
    ModelUnavailableError,
    OutputError,
    ToolMissingError,
)
from core.media import video_probe
from core.settings_file import load_settings
from core.types import VideoInfo
from processors.batch import video_pipeline
from processors.batch.batch_inputs import BatchInput, find_inputs
from processors.batch.executor import VideoJob
from processors.batch.exit_codes import EXIT_RESTART
from processors.batch.input_result import InputResult
from processors.batch.run_journal import Crash, RunHistory, RunJournal
from processors.batch.video_processor_factory import VideoProcessorFactory
from processors.batch_runner import run_batch
from processors.results.manifest import write_manifest
from processors.results.output_folder import staged_results
from processors.results.output_leases import OutputLeases
from processors.results.result_tree import MARK_FILE, folder_name, output_root, result_folders
from tests.material import factories
from tests.material.page_material import a_manifest, as_manifest
from utils.batch_monitor import BatchMonitor
from utils.fingerprints import Fingerprint, fingerprint
from utils.stage_monitor import StageMonitor

pytestmark = pytest.mark.errors_expected  # a failed input is logged as an error


def video_info(path: Path) -> VideoInfo:
    return factories.video_info(path, duration_s=2.0, frame_count=50)


@pytest.fixture(autouse=True)
def probe(monkeypatch):
    """Every file is a video, except those whose content says otherwise."""

    def scripted(path: Path, video_stream: int = 0) -> VideoInfo:
        if path.read_bytes().startswith(b"not"):
            raise InvalidVideoError("not a video", path=path, hint="try another")
        return video_info(path)

    monkeypatch.setattr(video_probe, "probe_video", scripted)
    return scripted


class Script:
    """Makes processors that note what happens and do what `analyse` and `finish` say for a video's name."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.threads: dict[str, set[str]] = {"analyse": set(), "finish": set()}
        self.at = 0.0
        """when the step of interest began, as `time.monotonic` says"""
        self.steps: dict[tuple[str, str], Any] = {}
        self.analysed_before: set[str] = set()

    def make(self, job, monitor):
        return ScriptedProcessor(self, job, monitor)

    def play(self, step: str, name: str, monitor) -> None:
        self.threads[step].add(threading.current_thread().name)
        self.events.append((step, name))
        action = self.steps.get((step, name))
        if isinstance(action, BaseException):
            raise action
        if action is not None:
            action(monitor)
        self.events.append((f"{step} end", name))


class ScriptedProcessor:
    def __init__(self, script, job, monitor) -> None:
        self.script, self.info, self.folder, self.lease = script, job.info, job.folder, job.lease
        self.mark, self.settings, self.monitor = job.fingerprint, job.settings, monitor

    def prepare(self):
        self.script.events.append(("prepare", self.info.path.stem))

    def analyse(self):
        self.script.play("analyse", self.info.path.stem, self.monitor)
        return SimpleNamespace(name=self.info.path.stem, cached=self.info.path.stem in self.script.analysed_before)

    def finish(self, record):
        analysis = record.name
        assert analysis == self.info.path.stem
        with staged_results(self.folder, self.mark, lease=self.lease) as partial:
            (partial / "person_01").mkdir()
            (partial / "person_01" / "clip.mp4").write_bytes(b"clip")
            self.script.play("finish", analysis, self.monitor)
            (partial / "timeline.json").write_bytes(b"{}")
            manifest = as_manifest({
                **a_manifest(),
                "version": VERSION,
                "input": {"size_bytes": self.mark.size_bytes, "sha256": self.mark.sha256},
                "settings": result_settings(self.settings),
                "timeline": {"sha256": hashlib.sha256(b"{}").hexdigest(), "edited": False},
                "video": {**a_manifest()["video"], "duration_s": 2.0},
                "people": a_manifest()["people"][:1],
                "clips": [{**a_manifest()["clips"][0], "file": "person_01/clip.mp4"}],
                "files": [{"file": "person_01/clip.mp4", "bytes": 4}, {"file": "timeline.json", "bytes": 2}],
            })  # fmt: skip
            write_manifest(partial, manifest)
        return manifest


def wait_for_stop(monitor) -> None:
    if not monitor.stop.wait(20):
        raise AssertionError("nobody set the stop event")
    raise InterruptedRunError("stopped")


@pytest.fixture
def videos(tmp_path):
    """Input folder with the videos a, b, c, d."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.mp4").write_bytes(name.encode())
    return folder


def run(
    folder: Path,
    script: Script,
    monitor: BatchMonitor | None = None,
    settings: Settings | None = None,
    given: set[str] | None = None,
):
    output = folder.parent / "out"
    inputs = find_inputs([str(folder)], output)
    return run_batch(inputs, output, settings or Settings(), monitor or BatchMonitor(), script.make, given=given)


def statuses(summary) -> list[str]:
    return [result.status for result in summary.results]


def hidden(folder: Path) -> list[str]:
    return [p.name for p in folder.parent.joinpath("out").rglob(".partial-*")]


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
        (GPUMemoryError("no room"), "no room"),
        (OSError(28, "No space left on device", "/secret/folder/b"), "No space left on device: b"),
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


def test_what_is_no_video_is_refused_without_any_work(videos):
    (videos / "b.mp4").write_bytes(b"not a video")
    script = Script()
    inputs = find_inputs([str(videos), str(videos / "gone.mp4")], videos.parent / "out")
    summary = run_batch(inputs, videos.parent / "out", Settings(), BatchMonitor(), script.make)
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


def test_what_was_analysed_before_is_said(videos):
    script = Script()
    script.analysed_before = {"b"}
    summary = run(videos, script)
    assert [r.analysis_cached for r in summary.results] == [False, True, False, False]
    assert ["from the cache" in line for line in summary.lines()] == [False, True, False, False, False]
    assert script.events.index(("prepare", "b")) < script.events.index(("analyse", "b"))
    written = json.loads((videos.parent / "out" / "summary.json").read_text())
    assert [e["analysis_cached"] for e in written["inputs"]] == [False, True, False, False]


def test_a_second_run_has_nothing_to_do(videos):
    run(videos, Script())
    script = Script()
    summary = run(videos, script)
    assert statuses(summary) == ["cached"] * 4
    assert summary.exit_code == 0
    assert [(r.people, r.clips, r.duration_s) for r in summary.results] == [(1, 1, 2.0)] * 4
    assert script.events == []


@pytest.mark.parametrize("change", ["overwrite", "settings", "content", "clip", "manifest"])
def test_what_is_not_done_any_more_is_done_again(videos, change):
    run(videos, Script())
    settings, output = Settings(), videos.parent / "out"
    if change == "overwrite":
        settings = load_settings(None, {"run": {"overwrite": True}})
    elif change == "settings":
        settings = load_settings(None, {"clip": {"size": 256}, "run": {"overwrite": True}})
    elif change == "content":
        (videos / "b.mp4").write_bytes(b"B")
    elif change == "clip":
        (output / "b" / "person_01" / "clip.mp4").write_bytes(b"cut")
    else:
        (output / "b" / "manifest.json").write_text("{")
    summary = run(videos, Script(), settings=settings)
    if change in ("overwrite", "settings"):
        assert statuses(summary) == ["done"] * 4
    else:
        assert statuses(summary) == ["cached", "done", "cached", "cached"]


def test_finished_clips_are_never_replaced_in_silence(videos, caplog):
    """`run X --size 256` after `run X` used to replace the clips, and the next plain run put them back."""
    caplog.set_level(logging.INFO)
    clip = videos.parent / "out" / "b" / "person_01" / "clip.mp4"
    run(videos, Script())
    made = clip.stat()
    size = load_settings(None, {"clip": {"size": 256}})
    refused = run(videos, Script(), settings=size, given={"clip.size"})
    assert statuses(refused) == ["failed"] * 4 and refused.exit_code == 1
    assert refused.results[1].reason.startswith(
        "it has 1 finished clip, made with size 512 (--overwrite replaces them;"
    )
    assert clip.stat() == made
    forced = load_settings(None, {"clip": {"size": 256}, "run": {"overwrite": True}})
    assert statuses(run(videos, Script(), settings=forced, given={"clip.size", "run.overwrite"})) == ["done"] * 4
    assert "b.mp4: replacing 1 clip, made with size 512" in caplog.text
    made = clip.stat()
    caplog.clear()
    assert statuses(run(videos, Script(), given=set())) == ["cached"] * 4
    assert "b.mp4: keeping to the settings that it was made with: size 256" in caplog.text
    assert clip.stat() == made


def test_folders_inside_folders_are_laid_out_likewise(tmp_path):
    for name in ("a", "mon/a", "mon/late/b"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / f"{name}.mp4").write_bytes(name.encode())
    out = tmp_path / "out"

    def batch() -> Any:
        inputs = find_inputs([str(tmp_path / "in")], out, recursive=True)
        return run_batch(inputs, out, Settings(), BatchMonitor(), Script().make)

    assert [(r.status, r.folder) for r in batch().results] == [
        ("done", "a"),
        ("done", "mon/a"),
        ("done", "mon/late/b"),
    ]
    assert statuses(batch()) == ["cached"] * 3
    assert [folder_name(path, out) for path in result_folders(out)] == ["a", "mon/a", "mon/late/b"]
    left = out / "mon" / ".partial-x"
    left.mkdir()
    assert statuses(batch()) == ["cached"] * 3 and not left.exists()
    assert {output_root(path) for path in result_folders(out)} == {out}


def test_what_is_made_again_keeps_the_settings_of_its_folder(videos):
    size = load_settings(None, {"clip": {"size": 256}})
    run(videos, Script(), settings=size, given={"clip.size"})
    manifest = videos.parent / "out" / "b" / "manifest.json"
    (manifest.parent / "person_01" / "clip.mp4").unlink()
    assert statuses(run(videos, Script(), given=set())) == ["cached", "done", "cached", "cached"]
    assert json.loads(manifest.read_text())["settings"]["clip"]["size"] == 256


def test_given_cuts_stay_with_the_video_that_they_were_given_for(videos):
    def batch(cuts: dict[str, str], given: set[str]) -> Any:
        place = "lists" if given else ""
        settings = load_settings(None, {"analysis": {"cuts": place}})
        output = videos.parent / "out"
        inputs = [dataclasses.replace(s, cuts=cuts.get(s.name, "")) for s in find_inputs([str(videos)], output)]
        return run_batch(inputs, output, settings, BatchMonitor(), Script().make, given=given)

    def recorded(name: str) -> str:
        manifest = json.loads((videos.parent / "out" / name / "manifest.json").read_text())
        return str(manifest["settings"]["analysis"]["cuts"])

    assert statuses(batch({"b": "frames 0 5"}, {"analysis.cuts"})) == ["done"] * 4
    assert [recorded(name) for name in "abcd"] == ["", "frames 0 5", "", ""]
    # The same list again, no list, and lists for other videos only: nothing is to be done.
    assert statuses(batch({"b": "frames 0 5"}, {"analysis.cuts"})) == ["cached"] * 4
    assert statuses(batch({}, set())) == ["cached"] * 4
    assert statuses(batch({}, {"analysis.cuts"})) == ["cached"] * 4
    # Other cuts would give other clips.
    other = batch({"b": "frames 0 6", "c": "frames 0 7"}, {"analysis.cuts"})
    assert statuses(other) == ["cached", "failed", "failed", "cached"]
    assert [r.reason.partition(" (")[0] for r in other.results[1:3]] == [
        "it has 1 finished clip, made with 2 given cuts",
        "it has 1 finished clip, made with no given cuts",
    ]
    # What has to be made again for another reason keeps its cuts.
    (videos.parent / "out" / "b" / "person_01" / "clip.mp4").unlink()
    assert statuses(batch({}, set())) == ["cached", "done", "cached", "cached"]
    assert recorded("b") == "frames 0 5"


def test_a_failed_redo_keeps_the_old_results(videos):
    run(videos, Script())
    (videos / "b.mp4").write_bytes(b"B")
    script = Script()
    script.steps["finish", "b"] = DecodeError("is broken")
    assert statuses(run(videos, script))[1] == "failed"
    assert (videos.parent / "out" / "b" / "person_01" / "clip.mp4").read_bytes() == b"clip"


def test_a_folder_of_somebody_else_is_not_touched(videos):
    theirs = videos.parent / "out" / "b"
    theirs.mkdir(parents=True)
    (theirs / "thesis.txt").write_text("mine")
    summary = run(videos, Script())
    assert statuses(summary) == ["done", "failed", "done", "done"]
    assert "no manifest.json" in summary.results[1].reason
    assert [p.name for p in theirs.iterdir()] == ["thesis.txt"]


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


def run_after_crash(folder: Path, script: Script, history: RunHistory):
    output, told = folder.parent / "out", []

    class Journal(RunJournal):
        def tell(self, event, name, detail) -> None:
            told.append((event, name, getattr(detail, "status", detail)))

    inputs = find_inputs([str(folder)], output)
    return run_batch(inputs, output, Settings(), BatchMonitor(), script.make, Journal(history)), told


def test_what_was_worked_on_in_a_crash_is_tried_once_more_before_the_others_and_alone(videos):
    script, done = Script(), InputResult("d.mp4", "d", "done", people=1, clips=1)
    history = RunHistory({"d": done}, {"b": Crash(1, "analyse", "SIGSEGV"), "c": Crash(2, "finish", "SIGABRT")})
    summary, told = run_after_crash(videos, script, history)
    assert statuses(summary) == ["done", "done", "failed", "done"]
    assert summary.results[2].reason == "crashed the program while being rendered (SIGABRT); left out"
    assert summary.results[3] is done
    assert [name for step, name in script.events if step in ("analyse", "finish")] == ["b", "b", "a", "a"]
    assert told[:7] == [
        ("begin", "b", "probe"),
        ("end", "b", "probe"),
        ("begin", "b", "analyse"),
        ("end", "b", "analyse"),
        ("begin", "b", "finish"),
        ("result", "b", "done"),
        ("end", "b", "finish"),
    ]
    assert ("result", "d", "done") not in told, "it was told by the process that did it"


@pytest.mark.parametrize("can_restart", [True, False])
def test_a_dead_gpu_ends_the_process_and_not_the_batch(videos, can_restart):
    told = []

    class Journal(RunJournal):
        can_restart = False

        def tell(self, event, name, detail) -> None:
            told.append((event, name))

    Journal.can_restart = can_restart
    script = Script()
    script.steps["analyse", "b"] = DeadDeviceError("the GPU failed")
    inputs = find_inputs([str(videos)], videos.parent / "out")
    summary = run_batch(inputs, videos.parent / "out", Settings(), BatchMonitor(), script.make, Journal())
    if can_restart:
        assert (summary.exit_code, summary.restart) == (EXIT_RESTART, True)
        assert statuses(summary) == ["done", "interrupted", "interrupted", "interrupted"]
        assert ("blame", "b") in told and ("result", "b") not in told
    else:
        assert statuses(summary) == ["done", "failed", "done", "done"]


def test_a_run_after_a_sudden_death_names_what_was_being_worked_on(videos, caplog, project):
    output = videos.parent / "out"
    with Other(project, output, "a") as other:
        other.kill()
    with caplog.at_level(logging.WARNING):
        assert statuses(run(videos, Script())) == ["done"] * 4
    assert "ended abruptly while processing a.mp4" in caplog.text
    caplog.clear()
    # The note of an earlier version is nobody's.
    (output / ".unfinished.json").write_text("{}")
    with caplog.at_level(logging.WARNING):
        assert statuses(run(videos, Script())) == ["cached"] * 4
    assert caplog.text == ""
    assert [p.name for p in output.iterdir() if p.name.startswith(".")] == [MARK_FILE]


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


HOLDER = """
import sys
from pathlib import Path
from processors.results.output_leases import OutputLeases, mark_output_folder
from utils.fingerprints import Fingerprint, fingerprint
output, name, size, sha256 = sys.argv[1:]
video = Fingerprint(int(size), sha256) if sha256 else None
output = mark_output_folder(Path(output))
lease = OutputLeases(output).take_video(output / name, video, f"{name}.mp4")
print("ready", flush=True)
sys.stdin.read()
"""


class Other:
    """Another call that works on the video `name`, or on a copy of `video` under that name, until it is killed."""

    def __init__(self, project: Path, output: Path, name: str, video: Path | None = None) -> None:
        mark = Fingerprint(0, "") if video is None else fingerprint(video)
        argv = [sys.executable, "-c", HOLDER, str(output), name, str(mark.size_bytes), mark.sha256]
        self.process = subprocess.Popen(argv, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Other:
        assert self.process.stdout is not None and self.process.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize("under", ["b", "copy"])
def test_a_video_of_another_call_is_passed_over_and_done_when_that_call_is_killed(videos, project, caplog, under):
    output, script = videos.parent / "out", Script()
    with Other(project, output, under, videos / "b.mp4") as other:
        script.steps["finish", "d"] = lambda _: other.kill()
        with caplog.at_level(logging.INFO):
            assert statuses(run(videos, script)) == ["done"] * 4
    assert [name for step, name in script.events if step == "analyse"] == ["a", "c", "d", "b"]
    assert caplog.text.count("b.mp4: being processed by process") == 1
    assert statuses(run(videos, Script())) == ["cached"] * 4
    assert list(output.glob(".lease-*")) == []


def test_what_another_call_has_done_meanwhile_is_not_done_again(videos, project, caplog):
    """Not even with --overwrite, which is about what was there before."""
    output, settings = videos.parent / "out", load_settings(None, {"run": {"overwrite": True}})
    assert statuses(run(videos, Script())) == ["done"] * 4
    with Other(project, output, "b") as other:
        script = Script()

        def elsewhere(_: Any) -> None:
            source = next(source for source in find_inputs([str(videos)], output) if source.name == "b")
            info, mark = video_info(source.path), fingerprint(source.path)
            job = VideoJob(source, info, mark, output / "b", settings)
            ScriptedProcessor(Script(), job, StageMonitor()).finish(SimpleNamespace(name="b"))
            other.kill()

        script.steps["finish", "d"] = elsewhere
        with caplog.at_level(logging.INFO):
            assert statuses(run(videos, script, settings=settings)) == ["done", "cached", "done", "done"]
    assert "b.mp4: done by another run" in caplog.text
    assert ("analyse", "b") not in script.events


def test_the_folder_of_another_video_that_another_call_has_made_meanwhile_is_left_alone(videos, project):
    output, script = videos.parent / "out", Script()
    with Other(project, output, "b") as other:

        def elsewhere(_: Any) -> None:
            source = BatchInput(videos / "b.mp4", "b")
            job = VideoJob(source, video_info(source.path), Fingerprint(9, "99"), output / "b", Settings())
            ScriptedProcessor(Script(), job, StageMonitor()).finish(SimpleNamespace(name="b"))
            other.kill()

        script.steps["finish", "d"] = elsewhere
        summary = run(videos, script)
    assert [(r.folder, r.status) for r in summary.results] == [(n, "done") for n in ("a", "b_2", "c", "d")]


def test_a_run_that_has_lost_a_video_leaves_the_results_of_the_other_one(videos):
    output, script = videos.parent / "out", Script()

    def taken_over(_: Any) -> None:
        (path,) = output.glob(".lease-b")
        path.unlink()
        others.take_video(output / "b")

    script.steps["finish", "b"] = taken_over
    with OutputLeases(output) as others:
        summary = run(videos, script)
        assert [path.name for path in output.glob(".lease-*")] == [".lease-b"], "it is the other one's"
    assert statuses(summary) == ["done", "failed", "done", "done"]
    assert "another run has taken this over" in summary.results[1].reason
    assert not (output / "b").exists()
    assert hidden(videos) == []


def test_videos_are_claimed_one_by_one(videos):
    """So that a call which begins later finds work."""
    output, script, seen = videos.parent / "out", Script(), []
    for name in "abcd":
        script.steps["analyse", name] = lambda _: seen.append(len(list(output.glob(".lease-[a-d]"))))
    run(videos, script)
    assert max(seen) <= 3, "one is finished, one waits for that, one is analysed"


def test_an_output_folder_that_cannot_be_made(videos):
    (videos.parent / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        run(videos, Script())


def test_leftovers_of_a_killed_run_are_removed(videos):
    (videos.parent / "out" / ".partial-x" / "person_01").mkdir(parents=True)
    run(videos, Script())
    assert hidden(videos) == []


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
    summary = run_batch(inputs, videos.parent / "out", Settings(), BatchMonitor())
    assert summary.exit_code == 3
    assert "matching releases" in summary.results[0].reason
    assert "requirements.txt" in summary.results[0].reason
    assert statuses(summary) == ["failed", *["interrupted"] * 3]


def test_a_suspect_is_finished_before_the_next_one_is_touched(videos):
    script = Script()
    history = RunHistory({}, {name: Crash(1, "analyse", "SIGSEGV") for name in "bc"})
    summary, told = run_after_crash(videos, script, history)
    assert statuses(summary) == ["done"] * 4
    names = [name for _, name, _ in told]
    assert names[:14] == ["b"] * 7 + ["c"] * 7, "a crash now could be blamed on the wrong input"


def test_no_suspect_is_tried_with_a_gpu_that_another_one_broke(videos):
    script = Script()
    script.steps["analyse", "b"] = DeadDeviceError("the GPU failed")

    class Journal(RunJournal):
        can_restart = True

    history = RunHistory({}, {name: Crash(1, "analyse", "SIGSEGV") for name in "bc"})
    inputs = find_inputs([str(videos)], videos.parent / "out")
    summary = run_batch(inputs, videos.parent / "out", Settings(), BatchMonitor(), script.make, Journal(history))
    assert summary.restart
    assert {name for _, name in script.events} == {"b"}
