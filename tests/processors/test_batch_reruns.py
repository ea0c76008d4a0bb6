"""A second run with scripted work: what is done already, what is made again, and what is kept."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Any

import pytest

from config import Settings
from core.errors import DecodeError
from core.settings_file import load_settings
from processors.batch.batch_inputs import find_inputs
from processors.batch.batch_request import BatchRequest
from processors.batch_runner import run_batch
from processors.results.result_tree import folder_name, output_root, result_folders
from tests.material.scripted_batch import Script, hidden, pretend_probe, pretend_videos, run, statuses
from utils.console.batch_monitor import BatchMonitor

pytestmark = pytest.mark.errors_expected  # a failed input is logged as an error
probe = pytest.fixture(autouse=True)(pretend_probe)
videos = pytest.fixture(pretend_videos)


def test_what_was_analysed_before_is_reported(videos):
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
    assert statuses(refused) == ["refused"] * 4 and refused.exit_code == 1
    assert refused.results[1].reason.startswith(
        "it has 1 finished clip, made with size 512 (--overwrite replaces them;"
    )
    assert clip.stat() == made
    # They are finished: the page used to list them under "Not done" as well.
    assert "Not done" not in (videos.parent / "out" / "index.html").read_text(encoding="utf-8")
    entries = json.loads((videos.parent / "out" / "summary.json").read_text(encoding="utf-8"))["inputs"]
    assert [(entry["status"], entry["folder"], entry["clips"]) for entry in entries] == [
        ("refused", name, 1) for name in ("a", "b", "c", "d")
    ]
    forced = load_settings(None, {"clip": {"size": 256}, "run": {"overwrite": True}})
    assert statuses(run(videos, Script(), settings=forced, given={"clip.size", "run.overwrite"})) == ["done"] * 4
    assert "b.mp4: replacing 1 clip, made with size 512" in caplog.text
    made = clip.stat()
    caplog.clear()
    assert statuses(run(videos, Script(), given=set())) == ["cached"] * 4
    assert "b.mp4: its clips keep the settings they were made with: size 256" in caplog.text
    assert clip.stat() == made


def test_folders_inside_folders_are_laid_out_likewise(tmp_path):
    for name in ("a", "mon/a", "mon/late/b"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / f"{name}.mp4").write_bytes(name.encode())
    out = tmp_path / "out"

    def batch() -> Any:
        inputs = find_inputs([str(tmp_path / "in")], out, recursive=True)
        return run_batch(BatchRequest(inputs, out, Settings()), BatchMonitor(), Script().make)

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
        return run_batch(BatchRequest(inputs, output, settings, given), BatchMonitor(), Script().make)

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
    assert statuses(other) == ["cached", "refused", "refused", "cached"]
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


def test_leftovers_of_a_killed_run_are_removed(videos):
    (videos.parent / "out" / ".partial-x" / "person_01").mkdir(parents=True)
    run(videos, Script())
    assert hidden(videos) == []
