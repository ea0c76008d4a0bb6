"""The state of a video's output folder, and the exchange of old results for new ones."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from config import Settings, load_settings, result_settings
from core.errors import InterruptedRunError, OutputError
from core.types import Clip, CropPath, Segment
from processors.clips.resume_journal import NOTES_FILE, FinishedClip, FinishedClips
from processors.results import output_folder
from processors.results.output_folder import (
    check_writable,
    done_manifest,
    read_manifest,
    remove_leftovers,
    staged_results,
)
from processors.results.output_writer import MANIFEST_SCHEMA, VERSION
from utils.fingerprints import Fingerprint

SOURCE = Fingerprint(10, "aa")


def write_run(folder: Path, files: dict[str, str]) -> None:
    """A finished run's folder with these files, all of them clips."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    entries = [{"file": name, "bytes": len(text)} for name, text in files.items()]
    manifest = {
        "schema": MANIFEST_SCHEMA,
        "extras": {},
        "version": VERSION,
        "input": {"name": "a.mp4", "size_bytes": 10, "sha256": "aa"},
        "settings": result_settings(Settings()),
        "timeline": {"sha256": None, "edited": False},
        "video": {"duration_s": 1.0},
        "people": [],
        "clips": entries,
        "files": entries,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def tree(folder: Path) -> dict[str, str]:
    files = {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}
    return {name: text for name, text in files.items() if name != "manifest.json"}


def test_a_complete_run_is_done(tmp_path):
    write_run(tmp_path / "a", {"p/1.mp4": "xyz"})
    assert done_manifest(tmp_path / "a", SOURCE, Settings()) is not None


def test_an_extra_that_is_there_and_not_wanted_is_no_reason_for_work(tmp_path):
    write_run(tmp_path / "a", {"preview.mp4": "xyz"})
    manifest = json.loads((tmp_path / "a/manifest.json").read_text())
    manifest["extras"] = {"mot": [], "preview": ["preview.mp4"]}
    (tmp_path / "a/manifest.json").write_text(json.dumps(manifest))
    for wanted in ({}, {"preview": True}, {"preview": True, "export": ["mot"]}):
        assert done_manifest(tmp_path / "a", SOURCE, load_settings(None, {"output": wanted})) is not None


@pytest.mark.parametrize(
    "change", ["input", "settings", "clip gone", "clip cut", "version", "damaged", "empty", "list", "video", "extras"]
)
def test_anything_else_is_not_done(tmp_path, change):
    folder = tmp_path / "a"
    write_run(folder, {"p/1.mp4": "xyz"})
    source, settings, manifest = SOURCE, Settings(), folder / "manifest.json"
    if change == "input":
        source = Fingerprint(10, "bb")
    elif change == "settings":
        settings = load_settings(None, {"clip": {"size": 256}})
    elif change == "extras":
        settings = load_settings(None, {"output": {"preview": True}})
    elif change == "clip gone":
        (folder / "p/1.mp4").unlink()
    elif change == "clip cut":
        (folder / "p/1.mp4").write_text("xy")
    elif change == "version":
        manifest.write_text(manifest.read_text().replace(f'"{VERSION}"', '"0.0.0"'))
    elif change == "damaged":
        manifest.write_text(manifest.read_text()[:-5])
    elif change == "empty":
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "files": None}))
    elif change == "video":
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "video": {}}))
    else:
        manifest.write_text("[1]")
    assert done_manifest(folder, source, settings) is None


def test_how_it_was_run_does_not_matter(tmp_path):
    write_run(tmp_path / "a", {"p/1.mp4": "xyz"})
    assert done_manifest(tmp_path / "a", SOURCE, load_settings(None, {"run": {"threads": 3}})) is not None


def test_first_results_appear_at_once_and_complete(tmp_path):
    with staged_results(tmp_path / "a", SOURCE) as partial:
        write_run(partial, {"p/1.mp4": "new"})
        assert not (tmp_path / "a").exists()
    assert tree(tmp_path / "a") == {"p/1.mp4": "new"}
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_new_results_replace_ours_and_spare_what_is_not(tmp_path):
    folder = tmp_path / "a"
    write_run(folder, {"person_01/1.mp4": "old", "person_02/1.mp4": "old", "person_03/1.mp4": "old"})
    (folder / "notes.txt").write_text("mine")
    (folder / "person_02" / "mine.txt").write_text("mine")
    with staged_results(folder, SOURCE) as partial:
        write_run(partial, {"person_01/1.mp4": "new!", "person_04/1.mp4": "new!"})
    assert tree(folder) == {
        "person_01/1.mp4": "new!",
        "person_04/1.mp4": "new!",
        "notes.txt": "mine",
        "person_02/mine.txt": "mine",
    }
    assert not (folder / "person_03").exists()
    assert done_manifest(folder, SOURCE, Settings()) is not None
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_the_old_results_as_they_were(tmp_path, error):
    folder = tmp_path / "a"
    write_run(folder, {"p/1.mp4": "old"})
    with pytest.raises(error), staged_results(folder, SOURCE) as partial:
        write_run(partial, {"p/1.mp4": "new"})
        raise error
    assert tree(folder) == {"p/1.mp4": "old"}
    assert done_manifest(folder, SOURCE, Settings()) is not None
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_killed_in_the_middle_of_the_exchange_the_next_run_cleans_up(tmp_path, monkeypatch):
    folder = tmp_path / "a"
    write_run(folder, {"p/1.mp4": "old", "p/2.mp4": "old"})
    (folder / "p" / "mine.txt").write_text("mine")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(output_folder, "remove_file", killed)
        with pytest.raises(KeyboardInterrupt), staged_results(folder, SOURCE) as partial:
            write_run(partial, {"p/1.mp4": "old", "p/3.mp4": "new"})
    # Every file has the right size here, so only the journal says that the exchange was not completed.
    assert done_manifest(folder, SOURCE, Settings()) is None
    with staged_results(folder, SOURCE) as partial:
        write_run(partial, {"p/1.mp4": "next"})
    assert tree(folder) == {"p/1.mp4": "next", "p/mine.txt": "mine"}


def test_a_manifest_cannot_make_us_remove_other_files(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("mine")
    folder = tmp_path / "a"
    write_run(folder, {"p/1.mp4": "old"})
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    evil = ["../precious", str(tmp_path / "precious"), "link/file", "p", "", 3, None]
    (folder / "manifest.json").write_text(json.dumps({"files": [{"file": f} for f in evil]}))
    with staged_results(folder, SOURCE) as partial:
        write_run(partial, {"q/1.mp4": "new"})
    assert (tmp_path / "precious").read_text() == "mine"
    assert (tmp_path / "elsewhere" / "file").read_text() == "mine"
    assert (folder / "p/1.mp4").read_text() == "old"


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    check_writable(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    check_writable(tmp_path / "empty")
    write_run(tmp_path / "ours", {"p/1.mp4": "old"})
    check_writable(tmp_path / "ours")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"no manifest\.json"):
        check_writable(tmp_path / "theirs")
    with pytest.raises(OutputError, match="in the way"):
        check_writable(tmp_path / "theirs" / "thesis.txt")


def note_finished(partial: Path, file: str = "p/1.mp4") -> None:
    """A finished clip in a folder of new results."""
    partial.mkdir(exist_ok=True)
    finished = FinishedClips(partial, {})
    (partial / file).parent.mkdir(parents=True)
    (partial / file).write_text("clip")
    path = CropPath(Segment("p", 0, 0, 1, ()), np.zeros(1, np.int64), np.zeros((1, 4)), 64, 64)
    finished.add(path, "x264", FinishedClip(Clip("p", file, 0, 0, 1, 0.0, 0.1, 1, 64, 64, False, 1.0)))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InterruptedRunError("stopped")])
def test_an_interruption_leaves_finished_clips_for_the_next_run(tmp_path, error):
    with pytest.raises(type(error)), staged_results(tmp_path / "a", SOURCE, resume=True) as partial:
        note_finished(partial)
        raise error
    remove_leftovers(tmp_path)
    with staged_results(tmp_path / "a", SOURCE, resume=True) as partial:
        assert (partial / "p/1.mp4").read_text() == "clip"
        write_run(partial, {"p/1.mp4": "clip"})
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["manifest.json", "p"]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_finished_clips_are_not_kept_for_those_who_want_none_after_failures_or_forever(tmp_path):
    partial = tmp_path / ".partial-a.aa-10"
    note_finished(partial)
    with staged_results(tmp_path / "a", SOURCE) as fresh:
        assert list(fresh.iterdir()) == []
    note_finished(partial)
    with pytest.raises(OSError, match="full"), staged_results(tmp_path / "a", SOURCE, resume=True):
        raise OSError("full")
    assert not partial.exists()
    note_finished(partial)
    week_ago = time.time() - 8 * 86400
    os.utime(partial / NOTES_FILE, (week_ago, week_ago))
    remove_leftovers(tmp_path)
    assert not partial.exists()


def test_notes_that_outlived_the_exchange_go(tmp_path):
    write_run(tmp_path / "a", {"p/1.mp4": "clip"})
    (tmp_path / "a" / NOTES_FILE).write_text("notes")
    remove_leftovers(tmp_path)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["manifest.json", "p"]


def test_an_empty_folder_is_taken_over(tmp_path):
    (tmp_path / "a").mkdir()
    with staged_results(tmp_path / "a", SOURCE) as partial:
        write_run(partial, {"p/1.mp4": "new"})
    assert tree(tmp_path / "a") == {"p/1.mp4": "new"}


def test_leftovers_of_a_killed_run_go_and_links_are_not_followed(tmp_path):
    (tmp_path / ".partial-a" / "p").mkdir(parents=True)
    (tmp_path / ".partial-file").write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / ".partial-0123456789abcdef.json").write_text("a journal")
    (tmp_path / "elsewhere" / "file").write_text("mine")
    (tmp_path / ".partial-link").symlink_to(tmp_path / "elsewhere")
    remove_leftovers(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["elsewhere"]
    assert [p.name for p in (tmp_path / "elsewhere").iterdir()] == ["file"]


def test_manifests_that_are_none(tmp_path):
    assert read_manifest(tmp_path) is None
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    assert read_manifest(tmp_path) == {}
