"""A batch after a crash or with a dead GPU, its work scripted: suspects are tried once more, alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings
from core.errors import DeadDeviceError
from processors.batch.batch_inputs import find_inputs
from processors.batch.batch_request import BatchRequest
from processors.batch.exit_codes import EXIT_RESTART
from processors.batch.input_result import InputResult
from processors.batch.run_journal import Crash, RunHistory, RunJournal
from processors.batch_runner import run_batch
from tests.material.scripted_batch import Script, pretend_probe, pretend_videos, statuses
from utils.console.batch_monitor import BatchMonitor

pytestmark = pytest.mark.errors_expected  # a failed input is logged as an error
probe = pytest.fixture(autouse=True)(pretend_probe)
videos = pytest.fixture(pretend_videos)


def run_after_crash(folder: Path, script: Script, history: RunHistory):
    output, told = folder.parent / "out", []

    class Journal(RunJournal):
        def tell(self, event, name, detail) -> None:
            told.append((event, name, getattr(detail, "status", detail)))

    inputs = find_inputs([str(folder)], output)
    return run_batch(BatchRequest(inputs, output, Settings()), BatchMonitor(), script.make, Journal(history)), told


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
    request = BatchRequest(inputs, videos.parent / "out", Settings())
    summary = run_batch(request, BatchMonitor(), script.make, Journal(history))
    assert summary.restart
    assert {name for _, name in script.events} == {"b"}


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
    request = BatchRequest(inputs, videos.parent / "out", Settings())
    summary = run_batch(request, BatchMonitor(), script.make, Journal())
    if can_restart:
        assert (summary.exit_code, summary.restart) == (EXIT_RESTART, True)
        assert statuses(summary) == ["done", "interrupted", "interrupted", "interrupted"]
        assert ("blame", "b") in told and ("result", "b") not in told
    else:
        assert statuses(summary) == ["done", "failed", "done", "done"]
