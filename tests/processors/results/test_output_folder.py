"""Replacing the results in a video's output folder, and interruptions of that."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from config import VERSION, Settings, result_settings
from core.errors import InterruptedRunError, OutputError
from core.types import Clip
from processors.clips.resume_journal import NOTES_FILE, FinishedClips
from processors.results import output_folder
from processors.results.existing_results import examine_folder
from processors.results.output_folder import remove_leftovers, resumable_clips, staged_results
from processors.results.run_plan import Action, plan_run
from processors.results.timeline_history import HISTORY_FOLDER
from tests.material.page_material import a_manifest
from utils.fingerprints import Fingerprint

SOURCE = Fingerprint(10, "aa")


def write_run(folder: Path, files: dict[str, str]) -> None:
    """Write the folder of a finished run whose clips are `files`."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "timeline.json").write_text("{}")
    entries = [{"file": name, "bytes": len(text)} for name, text in {**files, "timeline.json": "{}"}.items()]
    manifest = {
        **a_manifest(),
        "version": VERSION,
        "input": {"name": "a.mp4", "size_bytes": 10, "sha256": "aa"},
        "settings": result_settings(Settings()),
        "timeline": {"sha256": hashlib.sha256(b"{}").hexdigest(), "edited": False},
        "clips": [{**a_manifest()["clips"][0], "file": name, "bytes": len(text)} for name, text in files.items()],
        "files": entries,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def is_done(folder: Path, source: Fingerprint = SOURCE, settings: Settings | None = None) -> bool:
    facts = examine_folder(folder, source, settings or Settings()).facts
    return plan_run(facts).action is Action.SKIP


def tree(folder: Path) -> dict[str, str]:
    files = {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}
    return {name: text for name, text in files.items() if name not in ("manifest.json", "timeline.json")}


def test_first_results_appear_at_once_and_complete(tmp_path):
    with staged_results(tmp_path / "a", SOURCE) as partial:
        write_run(partial, {"p/1.mp4": "new"})
        assert not (tmp_path / "a").exists()
    assert tree(tmp_path / "a") == {"p/1.mp4": "new"}
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_the_error_of_a_full_disk_says_where_there_is_no_room(tmp_path):
    """It was "No space left on device" and no more, also with the results on another disk (--scratch)."""
    scratch = tmp_path / "local"
    hint = rf"a: the results cannot be written: No space left on device \(make room in {scratch}"
    with pytest.raises(OutputError, match=hint), staged_results(tmp_path / "out" / "a", SOURCE, scratch=scratch):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_scratch_folder_that_cannot_be_made_is_named(tmp_path):
    """It was "Not a directory: face-clips-..."."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match=rf"the folder {tmp_path}/file/x cannot be written: .*--scratch"),
        staged_results(tmp_path / "a", SOURCE, scratch=tmp_path / "file" / "x"),
    ):
        pass


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
    assert is_done(folder)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_the_old_results_as_they_were(tmp_path, error):
    folder = tmp_path / "a"
    write_run(folder, {"p/1.mp4": "old"})
    with pytest.raises(error), staged_results(folder, SOURCE) as partial:
        write_run(partial, {"p/1.mp4": "new"})
        raise error
    assert tree(folder) == {"p/1.mp4": "old"}
    assert is_done(folder)
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
    assert not is_done(folder)
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


def note_finished(partial: Path, file: str = "p/1.mp4") -> None:
    """Write a finished clip and its journal entry into a staging folder."""
    partial.mkdir(exist_ok=True)
    finished = FinishedClips(partial, "aa")
    (partial / file).parent.mkdir(parents=True)
    (partial / file).write_text("clip")
    finished.add(Clip("p", file, 0, 0, 1, 0.0, 0.1, 1, 64, 64, False, 1.0))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InterruptedRunError("stopped")])
def test_an_interruption_leaves_finished_clips_for_the_next_run(tmp_path, error):
    with pytest.raises(type(error)), staged_results(tmp_path / "a", SOURCE, resume=True) as partial:
        note_finished(partial)
        raise error
    remove_leftovers(tmp_path)
    assert resumable_clips(tmp_path / "a", SOURCE)
    assert not resumable_clips(tmp_path / "a", Fingerprint(10, "bb"))
    with staged_results(tmp_path / "a", SOURCE, resume=True) as partial:
        assert (partial / "p/1.mp4").read_text() == "clip"
        write_run(partial, {"p/1.mp4": "clip"})
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["manifest.json", "p", "timeline.json"]
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
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["manifest.json", "p", "timeline.json"]


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
    history = tmp_path / "elsewhere" / HISTORY_FOLDER
    history.mkdir()
    for name in (".partial-fedcba9876543210.json", "0001.json"):
        (history / name).write_text("a timeline")
    (tmp_path / ".partial-link").symlink_to(tmp_path / "elsewhere")
    remove_leftovers(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["elsewhere"]
    assert sorted(p.name for p in (tmp_path / "elsewhere").iterdir()) == [HISTORY_FOLDER, "file"]
    assert [p.name for p in history.iterdir()] == ["0001.json"]
