"""What `clean` removes, and above all what it keeps."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

import main
from core.analysis_store import AnalysisStore
from processors.batch.batch_summary import BatchSummary
from processors.batch.index_writer import write_index
from processors.clips.resume_journal import NOTES_FILE
from processors.commands.housekeeping import clean, removal_lines
from processors.known_people.gallery import Gallery
from processors.results.output_leases import OutputLeases
from processors.results.timeline_history import keep_version
from tests.material.page_material import a_manifest
from tests.processors.results.test_output_folder import note_finished

DAY_S = 86400


def make_results(
    output: Path, name: str, days: float, files: tuple[str, ...] = ("person_01/clip.mp4",), analysis: str = "a"
) -> Path:
    """A finished folder, `days` old. analysis: digit of the key of its analysis."""
    folder = output / name
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"clip")
    (folder / "timeline.json").write_text("{}")
    entries = [{"file": file, "bytes": 4} for file in files] + [{"file": "timeline.json", "bytes": 2}]
    manifest = {
        "schema": 2,
        "version": "0.1.0",
        "input": {"name": f"{name}.mp4", "size_bytes": 10, "sha256": "ab" * 32},
        "analysis": analysis * 64,
        "timeline": {"sha256": hashlib.sha256(b"{}").hexdigest(), "edited": False},
        "files": entries,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for file in ("manifest.json", "timeline.json"):
        age(folder / file, days)
    return folder


def age(path: Path, days: float) -> None:
    then = time.time() - days * DAY_S
    os.utime(path, (then, then))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


@pytest.fixture
def store(tmp_path) -> AnalysisStore:
    made = AnalysisStore(tmp_path / "cache", 10**9)
    made.folder.mkdir(parents=True)
    return made


def entry(store: AnalysisStore, digit: str, days: float) -> Path:
    path = store.folder / f"{digit * 64}.npz"
    path.write_bytes(bytes(1000))
    age(path, days)
    return path


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_what_is_old_goes_and_is_logged(output, store):
    old, new = make_results(output, "old", 40), make_results(output, "new", 20, analysis="b")
    stored = [entry(store, "a", 40), entry(store, "b", 20)]
    (old / "timeline.json.bak").write_text("{}")
    keep_version(old)
    removed = clean(output, store, 30 * DAY_S, dry_run=False)
    assert [r.path for r in removed] == [old, stored[0]]
    assert not old.exists() and new.exists()
    assert [p.exists() for p in stored] == [False, True]
    log = (output / "clean.log").read_text().splitlines()
    assert len(log) == 2 and str(old) in log[0] and "1000" in log[1]
    clean(output, store, 10 * DAY_S, dry_run=False)
    assert len((output / "clean.log").read_text().splitlines()) == 4


def test_folders_that_become_empty_go(output, store):
    make_results(output, "2024/may/a", 40), make_results(output, "2024/june/b", 40), make_results(output, "2023/c", 40)
    (output / "2024" / "notes.txt").touch()
    (output / "theirs" / "empty").mkdir(parents=True)
    clean(output, store, 30 * DAY_S, dry_run=True)
    assert (output / "2024" / "may" / "a").exists()
    clean(output, store, 30 * DAY_S, dry_run=False)
    assert sorted(path.name for path in output.iterdir() if path.is_dir()) == ["2024", "theirs"]
    assert names(output / "2024") == ["notes.txt"] and not (output / "2024" / "may").exists()
    assert (output / "theirs" / "empty").exists()


def test_analyses_of_other_output_folders_stay(output, store, tmp_path):
    other = tmp_path / "other"
    make_results(output, "mine", 40), make_results(other, "theirs", 40, analysis="b")
    mine, theirs, nobodys = (entry(store, digit, 40) for digit in "abc")
    signal = store.folder / f"{'a' * 64}.{'d' * 16}.signal.npz"
    signal.write_bytes(bytes(100))
    age(signal, 40)
    assert {r.path for r in clean(output, store, 30 * DAY_S, dry_run=False)} == {output / "mine", mine, signal}
    assert theirs.exists() and nobodys.exists() and "theirs/manifest.json" in names(other)


def test_an_analysis_that_was_used_lately_stays(output, store):
    make_results(output, "old", 40)
    lately = entry(store, "a", 3)
    assert [r.path for r in clean(output, store, 30 * DAY_S, dry_run=False)] == [output / "old"]
    assert lately.exists()


def test_a_dry_run_tells_the_same_and_removes_nothing(output, store):
    make_results(output, "old", 40)
    entry(store, "a", 40)
    before = names(output), names(store.folder)
    told = clean(output, store, 30 * DAY_S, dry_run=True)
    assert (names(output), names(store.folder)) == before
    assert [(r.path, r.bytes) for r in clean(output, store, 30 * DAY_S, dry_run=False)] == [
        (r.path, r.bytes) for r in told
    ]
    assert list(removal_lines(told, dry_run=True))[-1].startswith("2 would be removed, ")


def test_the_index_forgets_what_is_gone(output, store):
    for name, days in (("old", 40), ("new", 20)):
        manifest = make_results(output, name, days) / "manifest.json"
        page = {**a_manifest(name=f"{name}.mp4"), **json.loads(manifest.read_text())}
        page["files"].append({"file": "report.html", "bytes": 1})
        manifest.write_text(json.dumps(page))
        age(manifest, days)
    write_index(output, BatchSummary((), 1.0))
    clean(output, store, 30 * DAY_S, dry_run=True)
    assert "old.mp4" in (output / "index.html").read_text()
    clean(output, store, 30 * DAY_S, dry_run=False)
    index = (output / "index.html").read_text()
    assert "old.mp4" not in index and "new.mp4" in index


def test_the_pages_by_person_follow_a_gallery_elsewhere(output, tmp_path, store, monkeypatch):
    """`clean` looked for the gallery in the output folder only, so people.html went on showing what was gone."""
    for name in ("early", "late"):
        make_results(output, name, 40)
    write_index(output, BatchSummary((), 1.0))
    monkeypatch.setenv("HOME", str(tmp_path))
    elsewhere = tmp_path / "people of all.db"
    with Gallery(elsewhere):
        pass
    flags = ["-o", str(output), "--gallery", str(elsewhere), "--cache-dir", str(tmp_path / "cache"), "-q"]
    assert main.main(["clean", "--older-than", "30d", *flags]) == 0
    assert json.loads((output / "people.json").read_text())["people"] == []


def test_clips_of_interrupted_runs_go_when_they_are_old(output, store):
    for name, days in (("old", 40), ("new", 20)):
        (output / f".partial-{name}").mkdir()
        note_finished(output / f".partial-{name}")
        age(output / f".partial-{name}" / NOTES_FILE, days)
    (output / ".partial-mine").mkdir()
    assert [r.path.name for r in clean(output, store, 30 * DAY_S, dry_run=True)] == [".partial-old"]
    (removed,) = clean(output, store, 30 * DAY_S, dry_run=False)
    assert removed.bytes > 4
    assert sorted(p.name for p in output.glob(".partial-*")) == [".partial-mine", ".partial-new"]


def test_what_it_did_not_make_stays(output, store, tmp_path):
    folder = make_results(output, "old", 40, ("person_01/clip.mp4", "person_02/clip.mp4"))
    (folder / "notes.txt").write_text("mine")
    (folder / "person_01" / "mine.txt").write_text("mine")
    (output / "letters").mkdir()
    (output / "letters" / "letter.txt").write_text("mine")
    (output / "app").mkdir()
    (output / "app" / "manifest.json").write_text('{"schema": 2, "files": [{"file": "app.js", "bytes": 1}]}')
    (output / "app" / "app.js").write_text("x")
    (output / "film.mp4").write_text("mine")
    elsewhere = make_results(tmp_path / "elsewhere", "linked", 40)
    (output / "link").symlink_to(elsewhere)
    foreign = store.folder / "thesis.npz"
    foreign.write_bytes(b"mine")
    for path in (*(output / "letters").iterdir(), *(output / "app").iterdir(), output / "film.mp4", foreign):
        age(path, 400)
    clean(output, store, 30 * DAY_S, dry_run=False)
    assert names(folder) == ["notes.txt", "person_01/mine.txt"]
    assert not (folder / "person_02").exists()
    assert names(output / "letters") == ["letter.txt"]
    assert names(output / "app") == ["app.js", "manifest.json"]
    assert (output / "film.mp4").exists() and foreign.exists()
    assert "person_01/clip.mp4" in names(elsewhere)


def test_results_that_somebody_changed_stay(output, store):
    folder = make_results(output, "old", 40, ("p/1.mp4", "p/2.mp4"))
    (folder / "p" / "1.mp4").write_bytes(b"graded in colour")
    (folder / "timeline.json").write_text('{"edited": "by hand"}')
    age(folder / "timeline.json", 40)
    (removal,) = clean(output, store, 30 * DAY_S, dry_run=False)
    assert set(removal.kept) == {"p/1.mp4", "timeline.json"}
    assert names(folder) == ["manifest.json", "p/1.mp4", "timeline.json"]
    assert clean(output, store, 30 * DAY_S, dry_run=False) == []
    assert "kept, because changed: " in next(iter(removal_lines([removal], dry_run=False)))


def test_a_timeline_edited_lately_makes_the_results_new(output, store):
    folder = make_results(output, "old", 40)
    age(folder / "timeline.json", 3)
    assert clean(output, store, 30 * DAY_S, dry_run=False) == []
    assert "person_01/clip.mp4" in names(folder)


def test_a_hostile_manifest_removes_nothing_outside_its_folder(output, store, tmp_path):
    (tmp_path / "precious").write_text("mine")
    folder = make_results(output, "old", 40)
    manifest = json.loads((folder / "manifest.json").read_text())
    for file in ("../../precious", str(tmp_path / "precious"), "link/precious", "", 3, None):
        manifest["files"].append({"file": file, "bytes": 4})
    manifest["files"] += [3, {}, {"file": "person_01"}]
    (folder / "link").symlink_to(tmp_path)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    age(folder / "manifest.json", 40)
    clean(output, store, 30 * DAY_S, dry_run=False)
    assert (tmp_path / "precious").read_text() == "mine"


def test_what_a_run_works_on_stays(output, store):
    kept, gone = (make_results(output, name, 40) for name in ("kept", "gone"))
    staging = output / ".partial-new.aa-10"
    note_finished(staging)
    age(staging / NOTES_FILE, 40)
    leases = OutputLeases(output)
    with leases.take_video(kept), leases.take_video(output / "new"):
        assert [removal.path for removal in clean(output, store, 0, dry_run=False)] == [gone]
    assert {removal.path for removal in clean(output, store, 0, dry_run=False)} == {kept, staging}


@pytest.mark.parametrize(
    "command", [["clean", "--older-than", "0h"], ["clean", "--older-than", "0h", "--dry-run"], ["index"]]
)
def test_a_folder_of_somebody_is_left_alone(tmp_path, capsys, command):
    """A wrong -o used to put a mark file or an index.html into it, and to say that nothing was to be removed."""
    (tmp_path / "notes.txt").touch()
    assert main.main([*command, "-o", str(tmp_path)]) == 2
    assert "is not a folder with results (-o names" in capsys.readouterr().err
    assert names(tmp_path) == ["notes.txt"]


def test_no_output_folder_is_made(tmp_path, store):
    assert clean(tmp_path / "none", store, 0, dry_run=False) == []
    assert not (tmp_path / "none").exists()
