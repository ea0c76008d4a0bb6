"""Videos of one name from different folders share an output folder's neighbourhood and nothing else. Real files and
real encoders; only the faces are scripted."""

from __future__ import annotations

import itertools
import json
import logging
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from core.errors import InterruptedRunError, SettingsError
from processors import face_analyzer, video_processor
from processors.batch.batch_inputs import find_inputs
from processors.batch.batch_request import BatchRequest
from processors.batch.batch_summary import BatchSummary
from processors.batch_runner import run_batch
from processors.clip_renderer import ClipRenderer
from processors.clips.resume_journal import has_finished_clips
from processors.commands.folder_renderer import render_folder
from processors.commands.housekeeping import clean
from processors.commands.people_editor import rename
from processors.commands.timeline_edits import edit_people
from processors.results import output_folder
from processors.results.manifest_outline import folder_owner
from processors.results.result_lookup import find_folder
from processors.video import analysis_key
from processors.video.analysis_key import make_store
from tests.material.killed_run import ScriptedAnalyzer, processors
from tests.processors.test_process_faults import settings_for
from tests.processors.test_resume import write_video
from utils.console.batch_monitor import BatchMonitor
from utils.console.stage_monitor import StageMonitor
from utils.files import PARTIAL_PREFIX
from utils.fingerprints import fingerprint


class Place:
    """Three videos called a.mp4, and an output folder that their results go to."""

    def __init__(self, cards: Path, root: Path) -> None:
        self.videos = {day: cards / day / "a.mp4" for day in ("mon", "tue", "wed")}
        self.root, self.output, self.cache = root, root / "out", root / "cache"

    def run(self, *inputs: Path | str, **run: Any) -> BatchSummary:
        """A batch over files, or days by name."""
        paths = [str(self.videos.get(str(name), name)) for name in inputs]
        settings = self.settings(**run)
        request = BatchRequest(find_inputs(paths, self.output), self.output, settings)
        return run_batch(request, BatchMonitor(), processors(settings, self.output))

    def settings(self, **run: Any) -> Settings:
        return settings_for(self.cache, **run)

    def folder(self, day: str) -> Path:
        """The one folder whose manifest names the video of that day."""
        mark = fingerprint(self.videos[day])
        (folder,) = [p for p in self.output.iterdir() if p.is_dir() and folder_owner(p) == mark]
        return folder

    def results(self, day: str) -> dict[str, bytes]:
        folder = self.folder(day)
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def edit(self, day: str) -> bytes:
        """Call somebody Zoë; returns the timeline that must survive."""
        edit_people(self.folder(day), lambda timeline, _: rename(timeline, "person_01", "Zoë"))
        return (self.folder(day) / "timeline.json").read_bytes()


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    for seed, day in enumerate(("mon", "tue", "wed")):
        (folder / day).mkdir()
        write_video(folder / day / "a.mp4", seed)
    return folder


@pytest.fixture
def place(cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(ScriptedAnalyzer, "log", tmp_path / "analysed.log")
    monkeypatch.setattr(face_analyzer, "FaceAnalyzer", ScriptedAnalyzer)
    monkeypatch.setattr(analysis_key, "code_digest", lambda: "scripted")
    return Place(cards, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("order", list(itertools.permutations(["mon", "tue", "wed"]))[::2])
@pytest.mark.parametrize("overwrite", [False, True])
def test_one_run_after_the_other(place: Place, order: tuple[str, ...], overwrite: bool) -> None:
    seen: dict[str, dict[str, bytes]] = {}
    for day in order:
        assert place.run(day, overwrite=overwrite).exit_code == 0
        seen[day] = place.results(day)
        for earlier in seen:
            assert place.results(earlier) == seen[earlier]
    assert [place.folder(day).name for day in order] == ["a", "a_2", "a_3"]
    # All of them together, and each again, change nothing.
    assert place.run(*reversed(order), overwrite=overwrite).exit_code == 0
    assert place.run(order[1], overwrite=overwrite).exit_code == 0
    assert {day: place.results(day) for day in order} == seen


def test_one_run_whatever_the_order(place: Place) -> None:
    found = []
    for order in (["mon", "tue"], ["tue", "mon"]):
        shutil.rmtree(place.output, ignore_errors=True)
        summary = place.run(*order)
        assert summary.exit_code == 0
        assert {(r.label, r.folder) for r in summary.results} == {
            (str(place.videos["mon"]), "a.mp4"),
            (str(place.videos["tue"]), "a.mp4_2"),
        }
        found.append({day: place.results(day) for day in order})
    assert found[0] == found[1]
    written = json.loads((place.output / "summary.json").read_text())
    assert [e["folder"] for e in written["inputs"]] == ["a.mp4_2", "a.mp4"]


@pytest.mark.slow
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_edited_timeline_is_never_in_danger(place: Place, overwrite: bool) -> None:
    place.run("mon")
    edited = place.edit("mon")
    place.run("tue", overwrite=overwrite)
    assert place.results("mon")["timeline.json"] == edited
    render_folder(place.folder("mon"), place.settings(), StageMonitor(), places=list(place.videos.values()))
    assert any(name.startswith("Zoë/") for name in place.results("mon"))
    edited = place.results("mon")["timeline.json"]
    # The other's edits are its own.
    place.edit("tue")
    place.run("wed", "tue", "mon")
    assert place.results("mon")["timeline.json"] == edited
    assert any(name.startswith("Zoë/") for name in place.results("tue"))
    assert not any(name.startswith("Zoë/") for name in place.results("wed"))
    assert [place.folder(day).name for day in ("mon", "tue")] == ["a", "a_2"]


def test_cleaning_frees_names_only_where_nothing_is_left(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.run("mon")
    place.run("tue")
    edited = place.edit("mon")
    day_s = 86400
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 9 * day_s)
    clean(place.output, make_store(place.settings()), day_s, dry_run=False)
    assert [p.name for p in place.output.iterdir() if p.is_dir()] == ["a"]
    assert (place.output / "a" / "timeline.json").read_bytes() == edited
    place.run("tue")
    assert place.folder("tue").name == "a_2"
    assert place.results("mon")["timeline.json"] == edited


def test_an_interrupted_run_continues_with_its_own_clips(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise InterruptedRunError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(video_processor, "write_results", stopped)
        place.run("mon")
    (unfinished,) = place.output.glob(f"{PARTIAL_PREFIX}*")
    kept = {p: p.read_bytes() for p in unfinished.rglob("*.mp4")}
    assert len(kept) == 2
    # The other takes the name that is still free, with and without a resume, and takes nothing else.
    place.run("tue")
    place.run("tue", overwrite=True)
    assert has_finished_clips(unfinished)
    assert {p: p.read_bytes() for p in unfinished.rglob("*.mp4")} == kept
    made: list[int] = []
    render = ClipRenderer.render

    def watched(self: Any, analysis: Any, paths: Any, folder: Path, *rest: Any) -> Any:
        made.extend(p.stat().st_ino for p in folder.rglob("*.mp4"))
        return render(self, analysis, paths, folder, *rest)

    monkeypatch.setattr(ClipRenderer, "render", watched)
    place.run("mon")
    assert len(made) == 2, "the finished clips are there when rendering begins, under the folder's new name"
    assert place.folder("mon").name == "a_2"
    assert {p.stat().st_ino for p in place.folder("mon").rglob("*.mp4")} == set(made)
    assert not list(place.output.glob(f"{PARTIAL_PREFIX}*"))


@pytest.mark.slow
def test_an_exchange_broken_off_by_a_crash(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.run("mon")
    wanted = place.results("mon")
    replace = Path.replace

    def killed(self: Path, target: Any) -> Path:
        if self.name == "manifest.json":
            raise SystemExit
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        patch.setattr(output_folder, "remove_tree", lambda _: None)
        with pytest.raises(SystemExit):
            place.run("mon", overwrite=True)
    assert json.loads((place.output / "a" / "manifest.json").read_text())["replacing"] is True
    place.run("tue")
    assert place.folder("tue").name == "a_2"
    assert place.run("mon").exit_code == 0
    assert place.folder("mon").name == "a"
    assert place.results("mon") == wanted


def test_a_damaged_manifest_protects_what_lies_there(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.run("mon")
    edited = place.edit("mon")
    (place.output / "a" / "manifest.json").write_text("{")
    for _ in range(2):
        place.run("mon", overwrite=True)
        assert place.folder("mon").name == "a_2"
        assert (place.output / "a" / "timeline.json").read_bytes() == edited
    assert "the manifest.json in a is damaged" in caplog.text


def test_one_video_from_two_paths_is_done_once(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    copy = place.root / "a copy.mp4"
    shutil.copy(place.videos["mon"], copy)
    with caplog.at_level(logging.INFO):
        summary = place.run(copy, "mon", "tue")
    assert summary.exit_code == 0
    assert [(r.status, r.folder) for r in summary.results] == [
        ("duplicate", "a.mp4"), ("done", "a.mp4"), ("done", "a.mp4_2"),
    ]  # fmt: skip
    assert f"{copy}: skipped, the same video as {place.videos['mon']}" in caplog.text
    assert "3 videos: 2 done, 1 duplicate" in list(summary.lines())[-1]
    assert (place.root / "analysed.log").read_text().split() == ["a.mp4", "a.mp4"]
    # Alone it is found to be done.
    (result,) = place.run(copy).results
    assert (result.status, result.folder) == ("cached", "a.mp4")


def test_a_video_exported_again_under_its_name_leaves_the_old_results(place: Place) -> None:
    video = place.root / "interview.mp4"
    write_video(video, 7)
    place.videos["first"] = video.with_suffix(".kept")
    shutil.copy(video, place.videos["first"])
    place.run(video)
    before = place.results("first")
    write_video(video, 8)
    (result,) = place.run(video, overwrite=True).results
    assert (result.status, result.folder) == ("done", "interview_2")
    assert place.results("first") == before
    assert place.folder("first").name == "interview"


def test_commands_never_take_a_name_for_another_video(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place.run("mon", "tue")
    for day, video in place.videos.items():
        monkeypatch.chdir(video.parent)
        if day == "wed":
            # There is a folder called a.mp4, but it belongs to another video.
            with pytest.raises(SettingsError, match="no results yet"):
                find_folder("a.mp4", place.output)
        else:
            assert find_folder("a.mp4", place.output) == place.folder(day).resolve()
    monkeypatch.chdir(tmp_path)
    assert find_folder("a.mp4", place.output) == place.folder("mon").resolve()
