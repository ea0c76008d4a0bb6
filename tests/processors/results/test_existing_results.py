"""What is found in an output folder before a run, and what of it can be reused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import Settings, result_settings
from core.settings_file import load_settings
from core.types import Identity, Timeline
from processors.results.existing_results import ExistingResults, ReusableResults, examine_folder
from processors.results.replaced_clips import refusal_error
from processors.results.run_plan import Action, FolderFacts, Refusal, plan_run
from processors.speech import speech_choice
from tests.processors.results.test_output_folder import SOURCE, is_done, note_finished, write_run
from utils.fingerprints import Fingerprint

KEY = "ef" * 32


def change_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def examine(folder: Path, key: str | None = None) -> ExistingResults:
    return examine_folder(folder, SOURCE, Settings(), key)


def test_a_complete_run_is_done(tmp_path):
    write_run(tmp_path / "a", {"p/1.mp4": "xyz"})
    assert is_done(tmp_path / "a")
    assert examine(tmp_path / "a").manifest is not None


def test_an_extra_that_is_there_and_not_wanted_is_no_reason_for_work(tmp_path):
    write_run(tmp_path / "a", {"p/1.mp4": "xyz"})
    change_manifest(tmp_path / "a", extras={"mot": [], "preview": []})
    for wanted in ({}, {"preview": True}, {"preview": True, "export": ["mot"]}):
        assert is_done(tmp_path / "a", settings=load_settings(None, {"output": wanted}))


@pytest.mark.parametrize("version", ["0.0.0", "99.9", ""])
def test_results_of_another_version_in_the_same_format_are_done(tmp_path, version):
    write_run(tmp_path / "a", {"p/1.mp4": "xyz"})
    change_manifest(tmp_path / "a", version=version)
    assert is_done(tmp_path / "a")


def test_only_clips_as_they_were_made_may_be_taken_over(tmp_path):
    write_run(tmp_path / "a", {"p/1.mp4": "xyz", "p/2.mp4": "xyz", "p/3.mp4": "xyz"})
    manifest = json.loads((tmp_path / "a/manifest.json").read_text())
    recipes = {"p/1.mp4": "one", "p/2.mp4": "two", "p/3.mp4": ""}
    change_manifest(tmp_path / "a", clips=[{**c, "recipe": recipes[c["file"]]} for c in manifest["clips"]])
    (tmp_path / "a/p/2.mp4").write_text("edited")
    assert list(examine(tmp_path / "a").earlier_clips.by_recipe) == ["one"]
    change_manifest(tmp_path / "a", format=0)
    assert not examine(tmp_path / "a").earlier_clips.by_recipe


@pytest.mark.parametrize(
    "change",
    ["input", "settings", "clip gone", "clip cut", "format", "damaged", "empty", "list", "video", "extras", "edited"],
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
    elif change == "format":
        change_manifest(folder, format=0)
    elif change == "damaged":
        manifest.write_text(manifest.read_text()[:-5])
    elif change == "empty":
        change_manifest(folder, files=None)
    elif change == "video":
        change_manifest(folder, video={})
    elif change == "edited":
        (folder / "timeline.json").write_text("[]")
    else:
        manifest.write_text("[1]")
    assert not is_done(folder, source, settings)


def test_how_it_was_run_does_not_matter(tmp_path):
    write_run(tmp_path / "a", {"p/1.mp4": "xyz"})
    assert is_done(tmp_path / "a", settings=load_settings(None, {"run": {"threads": 3}}))


def test_results_from_before_a_setting_was_renamed_are_done(tmp_path):
    write_run(tmp_path / "a", {"p/1.mp4": "xyz"})
    settings = json.loads((tmp_path / "a" / "manifest.json").read_text())["settings"]
    settings["analysis"]["look_out"] = settings["analysis"].pop("search_interval")
    change_manifest(tmp_path / "a", settings=settings)
    assert is_done(tmp_path / "a")


def test_a_folder_that_is_not_ours_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "ours", {"p/1.mp4": "old"})
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("mine")
    for name, refusal in {
        "missing": None,
        "empty": None,
        "ours": None,
        "theirs": Refusal.FOREIGN_FILES,
        "theirs/thesis.txt": Refusal.FILE_IN_THE_WAY,
    }.items():
        assert examine(tmp_path / name).facts.obstacle is refusal, name
    error = refusal_error(examine(tmp_path / "theirs"), Refusal.FOREIGN_FILES, Settings())
    assert "no manifest.json" in error.message and "-o" in error.hint


def test_edits_are_distinguished_from_what_was_rendered(tmp_path):
    def state() -> tuple[bool, bool]:
        facts = examine(tmp_path).facts
        return facts.timeline_edited, facts.timeline_rendered

    write_run(tmp_path, {"p/1.mp4": "xyz"})
    assert state() == (False, True)
    (tmp_path / "timeline.json").write_text('{"edited": 1}')
    assert state() == (True, False)
    write_run(tmp_path, {"p/1.mp4": "xyz"})
    timeline = json.loads((tmp_path / "manifest.json").read_text())["timeline"]
    change_manifest(tmp_path, timeline={**timeline, "edited": True})
    assert state() == (True, True)
    # In a broken-off exchange nobody knows which timeline this is, only whether edits are in it.
    for edited in (False, True):
        journal = {"replacing": True, "timeline": {"edited": edited}, "files": []}
        (tmp_path / "manifest.json").write_text(json.dumps(journal))
        assert state() == (edited, False)
        assert not examine(tmp_path).facts.same_settings
    (tmp_path / "timeline.json").unlink()
    assert state() == (False, False)


def test_clips_of_the_same_analysis_can_be_taken_over(tmp_path):
    write_run(tmp_path, {"p/1.mp4": "xyz", "p/2.mp4": "xyz"})
    facts = examine(tmp_path, KEY).facts
    assert facts.clips_intact and not facts.clips_stale
    assert examine(tmp_path, "ab" * 32).facts.clips_stale
    (tmp_path / "p/2.mp4").unlink()
    (tmp_path / "p/2.mp4").symlink_to(tmp_path / "p/1.mp4")
    facts = examine(tmp_path, KEY).facts
    assert facts.files_intact and not facts.clips_intact


def test_a_clip_outside_the_folder_is_never_taken_over(tmp_path):
    write_run(tmp_path / "a", {"p/1.mp4": "xyz"})
    (tmp_path / "outside.mp4").write_text("xyz")
    text = (tmp_path / "a/manifest.json").read_text()
    (tmp_path / "a/manifest.json").write_text(text.replace("p/1.mp4", "../outside.mp4"))
    assert not examine(tmp_path / "a", KEY).facts.clips_intact


def test_an_extra_that_lacks_a_file_is_not_reused(tmp_path):
    write_run(tmp_path, {"p/1.mp4": "xyz", "mot.txt": "m", "people.vtt": "v"})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    clips = [clip for clip in manifest["clips"] if clip["file"].endswith(".mp4")]
    change_manifest(tmp_path, clips=clips, extras={"mot": ["mot.txt"], "vtt": ["people.vtt"]})
    (tmp_path / "mot.txt").unlink()
    reusable = examine(tmp_path, KEY).reusable
    assert reusable is not None
    assert reusable.files == {"p/1.mp4": "p/1.mp4", "people.vtt": "people.vtt"}
    assert reusable.clips[0].file == "p/1.mp4" and reusable.warnings == tuple(manifest["warnings"])


def test_clips_of_an_interrupted_run_are_asked_for_once_the_analysis_is_known(tmp_path):
    note_finished(tmp_path / ".partial-a.aa-10")
    assert examine(tmp_path / "a") == ExistingResults(tmp_path / "a", FolderFacts())
    facts = examine(tmp_path / "a", KEY).facts
    assert facts.clips_resumable
    assert plan_run(facts).action is Action.RENDER and plan_run(facts).resume


@pytest.mark.parametrize(
    ("made_by", "run", "done"),
    [
        ("movement", {"offline": True}, True),
        ("movement", {"offline": True, "speech_weights": ["a.model"]}, False),
        ("lr-asd+ava", {"offline": True, "speech_weights": ["a.model"]}, True),
        ("lr-asd+ava+talkset", {"offline": True, "speech_weights": ["a.model"]}, False),
        ("lr-asd+ava+talkset", {}, True),
        ("lr-asd+ava+talkset", {"offline": True}, False),
        ("", {"offline": True}, False),
    ],
)
def test_results_are_not_done_with_other_models_of_speech(tmp_path, monkeypatch, made_by, run, done):
    monkeypatch.setattr(speech_choice, "is_installed", lambda _: True)
    settings = load_settings(None, {"speech": {"speech": "on"}, "run": {"cache_dir": str(tmp_path / "cache"), **run}})
    write_run(tmp_path / "a", {"p/1.mp4": "xyz"})
    video = json.loads((tmp_path / "a/manifest.json").read_text())["video"]
    track = {"index": 1, "codec": "aac", "sample_rate_hz": 48000, "channels": 2, "start_s": 0.0}
    models = {"speech": {"name": made_by}} if made_by else {}
    change_manifest(
        tmp_path / "a", video={**video, "audio": [track]}, models=models, settings=result_settings(settings)
    )
    assert is_done(tmp_path / "a", settings=settings) == done


def test_a_silent_video_is_done_without_models_of_speech(tmp_path):
    settings = load_settings(None, {"speech": {"when": "speaking"}})
    write_run(tmp_path / "a", {"p/1.mp4": "xyz"})
    video = json.loads((tmp_path / "a/manifest.json").read_text())["video"]
    change_manifest(tmp_path / "a", video={**video, "audio": []}, settings=result_settings(settings))
    assert is_done(tmp_path / "a", settings=settings)


def test_a_further_set_of_clips_is_reused_with_its_settings(tmp_path):
    write_run(tmp_path, {"person_01/1.mp4": "xyz", "person_01/wide/1.mp4": "abc"})
    first, second = json.loads((tmp_path / "manifest.json").read_text())["clips"]
    wide = load_settings(None, {"variants": {"wide": {"clip": {"aspect": "16:9"}}}})
    values = result_settings(Settings(clip=wide.variants["wide"].clip))
    variant = {"settings": {"clip": values["clip"], "encode": values["encode"]}, "clips": [second]}
    change_manifest(tmp_path, clips=[first], variants={"wide": variant}, settings=result_settings(wide))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    timeline = Timeline(tuple(Identity(p["name"], tuple(p["tracklets"]), ()) for p in manifest["people"]))

    def reused(settings: Settings) -> ReusableResults:
        found = examine_folder(tmp_path, SOURCE, settings, KEY).reusable_for(timeline, settings)
        assert found is not None
        return found

    assert examine_folder(tmp_path, SOURCE, wide, KEY).facts.same_settings
    assert reused(wide).variants["wide"][0].file == "person_01/wide/1.mp4"
    assert "person_01/wide/1.mp4" in reused(wide).files
    other = load_settings(None, {"variants": {"wide": {"clip": {"aspect": "4:3"}}}})
    assert examine_folder(tmp_path, SOURCE, other, KEY).facts.clips_at_stake
    assert reused(other).variants == {}
    (tmp_path / "person_01/wide/1.mp4").unlink()
    assert reused(wide).variants == {}


@pytest.mark.parametrize("recipe", ["ab" * 32, ""])
def test_clips_without_recipes_follow_the_names_of_their_people(tmp_path, recipe):
    """Those made until 2026-11-27 are moved as they are; all others are found by their recipes, one by one."""
    write_run(tmp_path, {"person_01/1.mp4": "xyz"})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    change_manifest(
        tmp_path,
        clips=[{**clip, "recipe": recipe} for clip in manifest["clips"]],
        extras={"vtt": ["timeline.json"]},
    )
    existing = examine(tmp_path, KEY)
    first, second = (Identity(p["name"], tuple(p["tracklets"]), ()) for p in manifest["people"])
    same = existing.reusable_for(Timeline((first, second)), Settings())
    assert same is not None and same.files == {"person_01/1.mp4": "person_01/1.mp4", "timeline.json": "timeline.json"}
    renamed = existing.reusable_for(Timeline((replace(first, name="Anna"), second)), Settings())
    if recipe:
        assert renamed is None
    else:
        assert renamed is not None and renamed.clips[0].person == "Anna"
        assert renamed.files == {"Anna/1.mp4": "person_01/1.mp4"}
    assert existing.reusable_for(Timeline((first,)), Settings()) is None
