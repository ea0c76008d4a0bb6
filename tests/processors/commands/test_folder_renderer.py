"""Rendering again from an edited timeline and a stored analysis; faces are scripted, clips are real."""

from __future__ import annotations

import csv
import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from core.errors import InterruptedRunError, SettingsError
from core.settings_file import load_settings
from processors import face_analyzer
from processors.batch.batch_inputs import find_inputs
from processors.batch.batch_request import BatchRequest
from processors.batch_runner import run_batch
from processors.commands.folder_renderer import render_folder, rendered_lines
from processors.commands.people_editor import assign, drop, merge, rename, split, split_at
from processors.commands.timeline_edits import edit_people, undo_edit
from processors.known_people.gallery import Gallery
from processors.people.segments import SegmentRules
from processors.results.manifest import Manifest, read_manifest
from processors.results.result_lookup import find_folder, recorded_settings
from processors.results.timeline_file import DivisionEntry, read_timeline
from processors.results.timeline_history import HISTORY_FOLDER
from processors.video import analysis_key
from processors.workers.video_processor_factory import VideoProcessorFactory
from tests.material.killed_run import NoModels, ScriptedAnalyzer
from tests.processors.test_resume import write_video
from utils.console.batch_monitor import BatchMonitor
from utils.console.stage_monitor import StageMonitor


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inputs") / "film.mp4"
    write_video(path, 1)
    return path


def no_models(_: Settings) -> Any:
    return NoModels()


class Studio:
    """An output folder with the finished results of one video."""

    def __init__(self, video: Path, root: Path) -> None:
        self.video, self.output, self.cache = video, root / "out", root / "cache"
        self.cache.mkdir()
        self.values: dict[str, dict[str, Any]] = {
            "clip": {"size": 64},
            "encode": {"preset": "ultrafast", "codec": "x264"},
            "analysis": {"embedder": "dlib"},
            "run": {"cache_dir": str(self.cache)},
        }
        self.folder = self.output / "film"
        self.run()

    def run(self, **more: Any) -> list[str]:
        """Run the program; returns the status of each input."""
        values = {**self.values, **more}
        settings = load_settings(None, values)
        inputs = find_inputs([str(self.video)], self.output, recursive=settings.run.recursive)
        make = VideoProcessorFactory(settings, self.output, no_models)
        request = BatchRequest(inputs, self.output, settings)
        return [r.status for r in run_batch(request, BatchMonitor(), make).results]

    def render(self, *, monitor: StageMonitor | None = None, **options: Any) -> Manifest:
        flags = {"run": {"cache_dir": str(self.cache)}, **options.pop("flags", {})}
        recorded = recorded_settings(self.folder)
        settings = load_settings(None, {**recorded, **{k: {**recorded.get(k, {}), **v} for k, v in flags.items()}})
        return render_folder(self.folder, settings, monitor or StageMonitor(), models=no_models, **options)

    def tree(self) -> dict[str, bytes]:
        return {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}

    def analysed(self) -> int:
        return len((self.cache / "analysed.log").read_text().split())


@pytest.fixture
def studio(video, tmp_path, monkeypatch) -> Studio:
    monkeypatch.setattr(face_analyzer, "FaceAnalyzer", ScriptedAnalyzer)
    monkeypatch.setattr(analysis_key, "code_digest", lambda: "scripted")
    monkeypatch.setattr(ScriptedAnalyzer, "log", tmp_path / "cache" / "analysed.log")
    return Studio(video, tmp_path)


def test_rendering_again_without_changes_gives_the_same_bytes(studio):
    before = studio.tree()
    studio.render()
    assert studio.tree() == before
    assert studio.analysed() == 1


def test_everything_follows_the_edited_people(studio):
    edit_people(studio.folder, lambda film, _: rename(film, "person_01", "Anna"))
    edit_people(studio.folder, lambda film, _: drop(film, ["person_02"]))
    manifest = studio.render(flags={"output": {"export": ["vtt"]}})
    assert list(rendered_lines(studio.folder, manifest)) == [
        f"1 person, 1 clip, vtt -> {studio.folder}",
        "Anna     1 clip    0:01.2",
    ]
    assert [p.name for p in manifest.people] == ["Anna"]
    assert {c.person for c in manifest.clips} == {"Anna"}
    assert manifest.timeline.edited is True
    folders = {name.split("/")[0] for name in studio.tree() if "/" in name}
    assert folders == {"Anna", HISTORY_FOLDER}
    with (studio.folder / "tracks.csv").open(newline="", encoding="utf-8") as file:
        assert {row["person"] for row in csv.DictReader(file)} == {"Anna"}
    assert "Anna" in (studio.output / "index.html").read_text()
    assert studio.analysed() == 1


def test_when_all_edits_are_undone_the_results_are_those_before_them(studio):
    nobody_known = {"people": {"no_gallery": True}}
    studio.render(flags=nobody_known)
    before = studio.tree()
    edit_people(studio.folder, lambda film, _: drop(film, ["person_02"]))
    studio.render(flags=nobody_known)
    edit_people(studio.folder, lambda film, _: rename(film, "person_01", "Anna"))
    assert studio.render(flags=nobody_known).timeline.edited is True
    undo_edit(studio.folder)
    undo_edit(studio.folder)
    assert studio.render(flags=nobody_known).timeline.edited is False
    assert {name: data for name, data in studio.tree().items() if not name.endswith(".bak")} == before


@pytest.mark.slow
def test_later_runs_leave_the_edited_people_alone(studio):
    edit_people(studio.folder, lambda film, _: rename(film, "person_01", "Anna"))
    # A run follows edits like `render` does.
    assert studio.run() == ["done"]
    assert studio.run() == ["cached"]
    edited = studio.tree()
    studio.render()
    assert studio.tree() == edited
    studio.render(flags={"clip": {"size": 80}})
    assert studio.run(clip={"size": 80}) == ["cached"]
    assert "Anna" in json.loads((studio.folder / "timeline.json").read_text())["people"][0]["name"]
    overwrite = {**studio.values["run"], "overwrite": True}
    assert studio.run(run=overwrite) == ["done"]
    assert "Anna" in (studio.folder / "timeline.json").read_text(), "the gallery knows her"
    assert studio.run(run=overwrite, people={"no_gallery": True}) == ["done"]
    assert "Anna" not in (studio.folder / "timeline.json").read_text()
    assert "Anna" in (studio.folder / "timeline.json.bak").read_text()


def test_a_variant_is_a_set_of_its_own_beside_the_first(studio):
    before = studio.tree()
    wide = {"output": {"variant": "wide"}, "clip": {**studio.values["clip"], "aspect": "16:9"}}
    assert studio.run(**wide) == ["done"]
    after = studio.tree()
    first = {name: data for name, data in before.items() if name.endswith(".mp4")}
    assert {name: after[name] for name in first} == first
    second = {name for name in after if name.endswith(".mp4")} - first.keys()
    assert second == {name.replace("/", "/wide/") for name in first}
    manifest = read_manifest(studio.folder)
    assert manifest is not None
    made = manifest.variants["wide"]
    assert {clip.file for clip in made.clips} == second
    assert {(clip.width, clip.height) for clip in made.clips} == {(114, 64)}
    assert made.settings["clip"]["aspect"] == "16:9" and manifest.settings["clip"]["aspect"] == "1:1"
    assert all(f'href="{name}"' in after["report.html"].decode() for name in second)
    # Later runs keep it without being told, and make it again where the first set has to be made again.
    assert studio.run() == ["cached"] == studio.run(**wide)
    (studio.folder / next(iter(first))).unlink()
    assert studio.run() == ["done"]
    assert studio.tree().keys() == after.keys()
    studio.render(flags={"clip": {"size": 80}})
    assert studio.tree().keys() == after.keys()


@pytest.mark.errors_expected
def test_a_variant_is_not_replaced_in_silence_either(studio):
    def wanted(aspect: str, **run: bool) -> dict[str, Any]:
        clip = {**studio.values["clip"], "aspect": aspect}
        return {"output": {"variant": "v"}, "clip": clip, "run": {**studio.values["run"], **run}}

    assert studio.run(**wanted("16:9")) == ["done"]
    before = studio.tree()
    assert studio.run(**wanted("4:3")) == ["refused"]
    assert studio.tree() == before
    inode = {path: path.stat().st_ino for path in studio.folder.glob("*/*.mp4")}
    assert studio.run(**wanted("4:3", overwrite=True)) == ["done"]
    assert {path: path.stat().st_ino for path in studio.folder.glob("*/*.mp4")} == inode, "the first set stays"
    manifest = read_manifest(studio.folder)
    assert manifest is not None and manifest.variants["v"].clips[0].width == 86


def test_merging_and_splitting_again_is_as_before(studio):
    before = json.loads((studio.folder / "timeline.json").read_text())
    edit_people(studio.folder, lambda film, rules: merge(film, rules, "person_01", ["person_02"], force=True))
    assert len(studio.render().people) == 1
    edit_people(studio.folder, lambda film, rules: split(film, rules, "person_01", [1], "person_02"))
    studio.render()
    assert json.loads((studio.folder / "timeline.json").read_text()) == before


def rows_of(studio: Studio) -> list[dict[str, str]]:
    with (studio.folder / "tracks.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_tracklet_that_shows_two_people_is_divided_in_time(studio):
    before = [(row["frame"], row["x1"], row["y1"], row["x2"], row["y2"]) for row in rows_of(studio)]
    edit_people(studio.folder, lambda film, rules: split_at(film, replace(rules, min_clip_s=0.2), "person_01", 0.61))
    manifest = studio.render()
    assert [(p.name, p.tracklets) for p in manifest.people] == [
        ("person_01", (0,)), ("person_02", (1,)), ("person_03", (2,)),
    ]  # fmt: skip
    first, _, new = manifest.people
    # 0.61 s lies nearest to frame 15, which begins at 0.6 s.
    assert [(s.start, s.end) for s in (*first.segments, *new.segments)] == [(0, 15), (15, 30)]
    assert {c.person: c.frames for c in manifest.clips} == {"person_01": 15, "person_02": 30, "person_03": 15}
    assert (studio.folder / "person_03" / "face.jpg").is_file()
    rows = rows_of(studio)
    owners = {(int(row["frame"]), row["track"]): row["person"] for row in rows if row["track"] != "1"}
    assert owners == {(f, "0" if f < 15 else "2"): f"person_0{1 if f < 15 else 3}" for f in range(30)}
    assert sorted((r["frame"], r["x1"], r["y1"], r["x2"], r["y2"]) for r in rows) == sorted(before)


def test_a_division_stays_when_the_video_is_rendered_again_and_can_be_divided_again(studio):
    rules = SegmentRules(0.2, 1.0)
    edit_people(studio.folder, lambda film, _: split_at(film, rules, "person_01", 0.6))
    studio.render()
    rendered = studio.tree()
    studio.render()
    assert studio.tree() == rendered
    assert read_timeline(studio.folder).divisions == (DivisionEntry(tracklet=0, at_s=0.6, id=2),)
    edit_people(studio.folder, lambda film, _: split_at(film, rules, "person_03", 0.9, "Bob"))
    assert [(p.name, p.segments[0].start, p.segments[0].end) for p in studio.render().people] == [
        ("person_01", 0, 15), ("person_02", 0, 30), ("person_03", 15, 22), ("Bob", 22, 30),
    ]  # fmt: skip
    # Clips of other settings follow the edits, too.
    assert {c.height for c in studio.render(flags={"clip": {"size": 80, "min_clip": 0.2}}).clips} == {80}
    assert [p.name for p in read_timeline(studio.folder).people] == ["person_01", "person_02", "person_03", "Bob"]


def test_all_edits_are_taken_back_one_by_one(studio):
    original = studio.tree()
    rules = SegmentRules(0.2, 1.0)
    for change in (
        lambda film, _: split_at(film, rules, "person_01", 0.6),
        lambda film, _: assign(film, rules, "person_02", [2], force=True),
        lambda film, _: drop(film, ["person_01"]),
    ):
        edit_people(studio.folder, change)
    assert [p.tracklets for p in studio.render().people] == [(1, 2)]
    assert [p.tracklets for p in undo_edit(studio.folder).people] == [(0,), (1, 2)]
    assert [p.tracklets for p in undo_edit(studio.folder).people] == [(0,), (1,), (2,)]
    assert [p.tracklets for p in studio.render().people] == [(0,), (1,), (2,)]
    undo_edit(studio.folder)
    studio.render()
    with pytest.raises(SettingsError, match="no correction to undo"):
        undo_edit(studio.folder)
    clips = {name for name in original if name.endswith((".mp4", ".jpg", "tracks.csv", "timeline.json"))}
    assert len(clips) > 6 and {k: v for k, v in studio.tree().items() if k in clips} == {k: original[k] for k in clips}
    assert studio.analysed() == 1


def test_a_name_that_was_taken_back_does_not_come_back_from_the_gallery(studio):
    edit_people(studio.folder, lambda film, _: rename(film, "person_01", "Anna"))
    assert [p.known_as for p in studio.render().people] == ["Anna", ""]
    undo_edit(studio.folder)
    assert [(p.name, p.known_as) for p in studio.render().people] == [("person_01", ""), ("person_02", "")]


def test_what_was_divided_is_two_people_of_the_gallery(studio):
    before = {p.name: p.id for p in studio.render().people}
    edit_people(studio.folder, lambda film, _: split_at(film, SegmentRules(0.2, 1.0), "person_01", 0.2))
    ids = {p.name: p.id for p in studio.render().people}
    assert {name: ids[name] for name in before} == before and ids["person_03"] not in before.values()
    with Gallery(studio.output / "people.db") as gallery:
        # The samples of the tracklet are frames 3 and 9, and 0.2 s is frame 5.
        assert {p.id: p.faces for p in gallery.people()} == {
            ids["person_01"]: 1,
            ids["person_02"]: 2,
            ids["person_03"]: 1,
        }
        assert len(gallery.apart()) >= 1


def test_edits_that_a_new_start_replaced_can_be_taken_up_again(studio):
    edit_people(studio.folder, lambda film, _: rename(film, "person_01", "Anna"))
    edited = (studio.folder / "timeline.json").read_bytes()
    overwrite = {**studio.values["run"], "overwrite": True}
    assert studio.run(run=overwrite, people={"no_gallery": True}) == ["done"]
    assert "Anna" not in (studio.folder / "timeline.json").read_text()
    undo_edit(studio.folder)
    assert (studio.folder / "timeline.json").read_bytes() == edited


def test_other_clips_with_the_settings_given(studio):
    manifest = studio.render(flags={"clip": {"size": 96}})
    assert {c.height for c in manifest.clips} == {96}
    assert manifest.settings["encode"]["preset"] == "ultrafast"
    assert recorded_settings(studio.folder)["clip"]["size"] == 96


def test_a_video_that_was_moved_is_found_where_the_user_says(studio, tmp_path):
    moved = tmp_path / "elsewhere" / "renamed.mp4"
    moved.parent.mkdir()
    hidden = studio.video.rename(studio.video.with_suffix(".hidden"))
    shutil.copy(hidden, moved)
    try:
        with pytest.raises(SettingsError, match=r"film\.mp4 cannot be found \(say where it is: --video"):
            studio.render()
        (tmp_path / "other.mp4").write_bytes(b"another video")
        with pytest.raises(SettingsError, match="cannot be found"):
            studio.render(places=[tmp_path / "other.mp4", tmp_path])
        before = studio.tree()
        studio.render(places=[moved])
        clips = {name for name in before if name.endswith(".mp4")}
        assert {k: v for k, v in studio.tree().items() if k in clips} == {k: v for k, v in before.items() if k in clips}
        shutil.copy(hidden, tmp_path / "renamed.mp4")
        studio.render(places=[tmp_path])
    finally:
        hidden.rename(studio.video)


def test_an_analysis_that_is_gone_is_made_again_only_when_asked(studio, monkeypatch):
    shutil.rmtree(studio.cache / "analyses")
    with pytest.raises(SettingsError, match=r"not in the cache \(--analyse"):
        studio.render()
    before = studio.tree()
    studio.render(analyse=True)  # summary.json has the path of the video
    assert studio.tree() == before
    assert studio.analysed() == 2
    shutil.rmtree(studio.cache / "analyses")
    monkeypatch.setattr(analysis_key, "code_digest", lambda: "another version")
    with pytest.raises(SettingsError, match="the program has changed"):
        studio.render(places=[studio.video], analyse=True)


def inodes(studio: Studio) -> dict[str, int]:
    """Of all clips: a clip that is taken over is a link to the same file."""
    return {p.relative_to(studio.folder).as_posix(): p.stat().st_ino for p in studio.folder.rglob("*.mp4")}


def test_only_clips_that_an_edit_changes_are_made_again(studio):
    (first, one), (second, two) = sorted(inodes(studio).items())
    edit_people(studio.folder, lambda film, _: rename(film, "person_01", "Anna"))
    studio.render()
    assert inodes(studio) == {first.replace("person_01", "Anna"): one, second: two}
    edit_people(studio.folder, lambda film, _: split_at(film, SegmentRules(0.2, 1.0), "Anna", 0.6, "Bob"))
    studio.render()
    now = inodes(studio)
    assert len(now) == 3 and now[second] == two and one not in now.values()
    edit_people(studio.folder, lambda film, _: drop(film, [second.split("/")[0]]))
    studio.render()
    assert inodes(studio) == {name: inode for name, inode in now.items() if name != second}


def test_clips_whose_names_show_the_person_follow_an_edit_too(studio):
    named = {"template": "${PERSON}-${CLIP_NUMBER}"}
    studio.render(flags={"clip": named})
    before = inodes(studio)
    edit_people(studio.folder, lambda film, _: rename(film, "person_01", "Anna"))
    studio.render()
    assert inodes(studio) == {name.replace("person_01", "Anna"): inode for name, inode in before.items()}
    assert "Anna/Anna-001.mp4" in inodes(studio)


def test_the_clips_of_variants_are_taken_over_too(studio, caplog):
    wide = {"output": {"variant": "wide"}, "clip": {**studio.values["clip"], "aspect": "16:9"}}
    assert studio.run(**wide) == ["done"]
    before = inodes(studio)
    edit_people(studio.folder, lambda film, _: drop(film, ["person_01"]))
    with caplog.at_level(logging.INFO):
        manifest = studio.render()
    said = [message for message in caplog.messages if "already" in message]
    assert said == ["1 of 1 clips are there already", "1 of 1 clips of wide are there already"]
    assert next(rendered_lines(studio.folder, manifest)).startswith("1 person, 1 clip, 1 clip of wide -> ")
    assert inodes(studio) == {name: inode for name, inode in before.items() if name.startswith("person_02")}
    assert len(inodes(studio)) == 2


def test_a_new_name_costs_one_reel(studio):
    assert studio.run(output={"reel": True}) == ["done"]
    before = inodes(studio)
    edit_people(studio.folder, lambda film, _: rename(film, "person_01", "Anna"))
    studio.render()
    after = inodes(studio)
    assert after["person_02/reel.mp4"] == before["person_02/reel.mp4"]
    assert after["Anna/reel.mp4"] not in before.values()
    (studio.folder / "person_02/reel.mp4").write_bytes(b"changed")
    studio.render()
    assert (studio.folder / "person_02/reel.mp4").stat().st_size > 1000


def test_a_clip_that_somebody_changed_is_made_again(studio):
    clip = next(studio.folder.glob("person_02/*.mp4"))
    original = clip.read_bytes()
    clip.write_bytes(b"changed")
    edit_people(studio.folder, lambda film, _: rename(film, "person_02", "Bob"))
    studio.render()
    assert next(studio.folder.glob("Bob/*.mp4")).read_bytes() == original


def test_a_wrong_timeline_is_named_and_nothing_is_changed(studio):
    path = studio.folder / "timeline.json"
    path.write_text(path.read_text().replace('"start_s": 0.0', '"start_s": "0"', 1))
    before = studio.tree()
    with pytest.raises(SettingsError, match=r"people\[0\].segments\[0\].start_s"):
        studio.render()
    assert studio.tree() == before


def test_stopping_leaves_everything_as_it_was(studio):
    before = studio.tree()
    monitor = StageMonitor()
    monitor.stop.set()
    with pytest.raises(InterruptedRunError):
        studio.render(monitor=monitor)
    assert studio.tree() == before


def test_the_folder_that_is_meant(studio, tmp_path, monkeypatch):
    assert find_folder(str(studio.folder), tmp_path) == studio.folder
    assert find_folder("film", studio.output) == studio.folder
    assert find_folder(str(studio.video), studio.output) == studio.folder
    other = tmp_path / "other.mp4"
    other.write_bytes(b"another video")
    with pytest.raises(SettingsError, match="no results yet"):
        find_folder(str(other), studio.output)
    for missing in ("nothing", str(tmp_path)):
        with pytest.raises(SettingsError, match="neither a video nor a folder"):
            find_folder(missing, studio.output)
