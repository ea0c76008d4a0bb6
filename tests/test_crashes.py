"""Foreign code that takes the process down: one input fails, the others are done, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processors.test_process_faults import half_written, results
from tests.processors.test_resume import write_video

pytestmark = pytest.mark.slow

NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    for count, name in enumerate(NAMES):
        write_video(folder / f"{name}.mp4", count)
    return folder


def run(project: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.material.crashing_run", *map(str, arguments)]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)


def summary(output: Path) -> dict[str, dict[str, Any]]:
    return {entry["folder"]: entry for entry in json.loads((output / "summary.json").read_text())["inputs"]}


@pytest.mark.parametrize(("stage", "verb"), [("probe", "probed"), ("decode", "analysed"), ("encode", "rendered")])
def test_an_input_that_crashes_the_program_is_left_out_and_named(
    stage: str, verb: str, inputs: Path, tmp_path: Path, project: Path
) -> None:
    output, cache = tmp_path / "out", tmp_path / "cache"
    done = run(project, inputs, output, cache, stage, "b")
    assert done.returncode == 1, done.stderr
    told = summary(output)
    assert [told[name]["status"] for name in NAMES] == ["done", "failed", "done"]
    assert told["b"]["reason"] == f"crashed the program while being {verb} (SIGABRT); left out"
    assert (cache / "crashes.log").read_text().count("crash") == 2
    assert half_written(output) == []
    assert not (output / "b").exists()
    assert list(output.glob(".lease-*")) == []
    analysed = (cache / "analysed.log").read_text().split()
    assert analysed.count("a.mp4") <= 2, "what was done before the crash is not done again"
    # The next run, with a decoder that was mended, does what is missing and gives what an undisturbed run gives.
    assert run(project, inputs, output, cache, stage, "nobody").returncode == 0
    undisturbed = tmp_path / "undisturbed"
    assert run(project, inputs, undisturbed, tmp_path / "fresh", stage, "nobody").returncode == 0
    assert results(output) == results(undisturbed)


@pytest.mark.parametrize("stage", ["probe", "encode"])
def test_a_crash_that_does_not_come_again_costs_nothing(
    stage: str, inputs: Path, tmp_path: Path, project: Path
) -> None:
    output = tmp_path / "out"
    done = run(project, inputs, output, tmp_path / "cache", stage, "b", 1)
    assert done.returncode == 0, done.stderr
    assert [entry["status"] for entry in summary(output).values()] == ["done"] * 3
