from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.robustness.media.batches import Program, Run
from benchmarks.robustness.media.equal_names import PLACES, SCENARIOS, Stage, take


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path, Program(tmp_path, tmp_path))
    for letter in PLACES:
        made.path(letter).parent.mkdir(parents=True, exist_ok=True)
        made.path(letter).write_text(letter)
    return made


def program(monkeypatch: pytest.MonkeyPatch, *, careful: bool) -> None:
    """A program that gives each video a folder of its own (careful), or names it by the file's stem."""

    def run(self: Program, inputs: Sequence[Path], output: Path, *options: str) -> Run:
        for path in inputs:
            letter = path.read_text()
            folder = output / (letter if careful else path.stem.lower())
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / "clip.mp4").write_text(letter)
            (folder / "timeline.json").write_text("{}")
            video = {"frames": PLACES[letter][1].frames}
            (folder / "manifest.json").write_text(json.dumps({"video": video, "clips": [{"file": "clip.mp4"}]}))
        return Run(0, "", 1.0)

    monkeypatch.setattr(Program, "run", run)


def test_folders_of_ones_own_are_right(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, careful=True)
    for step in ("A", "B", "A B", "B --overwrite", "replace A B", "B2"):
        assert take(stage, step) == []


@pytest.mark.parametrize("steps", [("A", "B"), ("A B",), ("A", "U"), ("A", "replace A B", "B2")])
def test_results_of_another_video_are_missed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, steps: tuple[str, ...]
) -> None:
    program(monkeypatch, careful=False)
    found = [finding.text for step in steps for finding in take(stage, step)]
    assert any("no results of A" in text for text in found)


def test_a_clip_and_an_edited_timeline_are_missed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, careful=True)
    assert take(stage, "A") == []
    stage.edited.add("A")
    assert "edited timeline of A is gone" in take(stage, "B")[0].text
    (stage.output / "A" / "clip.mp4").unlink()
    assert any("1 of 1 clips of A are gone" in finding.text for finding in take(stage, "B"))


def test_videos_of_one_size(stage: Stage) -> None:
    stage.path("A").write_bytes(b"a" * 50)
    stage.path("B").write_bytes(b"b" * 53)
    take(stage, "same size A B")
    assert stage.path("A").stat().st_size == stage.path("B").stat().st_size
    assert stage.path("A").read_bytes() != stage.path("B").read_bytes()


def test_scenarios_differ() -> None:
    assert len(set(SCENARIOS.values())) == len(SCENARIOS) >= 25
