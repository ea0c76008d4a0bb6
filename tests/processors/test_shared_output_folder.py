"""Calls that share an output folder, their work scripted: leases, what another call did, what a dead one left."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings
from core.settings_file import load_settings
from processors.batch.batch_inputs import BatchInput, find_inputs
from processors.batch.executor import VideoJob
from processors.results.output_leases import OutputLeases
from processors.results.result_tree import MARK_FILE
from tests.material.scripted_batch import (
    Script,
    ScriptedProcessor,
    hidden,
    pretend_probe,
    pretend_videos,
    run,
    statuses,
    video_info,
)
from utils.console.stage_monitor import StageMonitor
from utils.fingerprints import Fingerprint, fingerprint

pytestmark = pytest.mark.errors_expected  # a failed input is logged as an error
probe = pytest.fixture(autouse=True)(pretend_probe)
videos = pytest.fixture(pretend_videos)

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
