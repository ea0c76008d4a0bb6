"""One video a second time, its stages scripted: the stored analysis, edited timelines, and what is made again."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.errors import SettingsError, VideoProcessingError
from processors.results import output_folder
from processors.video import analysis_key
from tests.material.scripted_stages import (
    CLIP,
    INFO,
    RECORD,
    no_models,
    pretend_cache,
    pretend_make,
    pretend_monitor,
    pretend_stages,
    run,
)

stages = pytest.fixture(pretend_stages)
monitor = pytest.fixture(pretend_monitor)
cache = pytest.fixture(pretend_cache)
make = pytest.fixture(pretend_make)


def test_an_extra_that_is_missing_is_made_without_making_the_clips_again(tmp_path, stages, make):
    first = make().finish(RECORD)
    stages.pop("paths")
    clip = tmp_path / "a" / CLIP.file
    before = clip.stat().st_ino
    with_mot = make(output={"export": ["mot"]}).finish(RECORD)
    assert "paths" not in stages and clip.stat().st_ino == before and clip.read_bytes() == b"clip"
    assert with_mot.extras == {"mot": ("mot.txt",)} and (tmp_path / "a/mot.txt").read_text().count("\n") == 10
    for key in ("clips", "people", "warnings", "models", "settings"):
        assert getattr(with_mot, key) == getattr(first, key)
    # Another extra keeps the first one.
    (tmp_path / "a/mot.txt").touch()
    made_s = (tmp_path / "a/mot.txt").stat().st_mtime_ns
    both = make(output={"export": ["vtt"]}).finish(RECORD)
    assert both.extras == {"mot": ("mot.txt",), "vtt": ("people.vtt",)}
    assert (tmp_path / "a/mot.txt").stat().st_mtime_ns == made_s
    assert {entry.file for entry in both.files} == {
        CLIP.file, "person_01/face.jpg", "tracks.csv", "timeline.json", "report.html", "mot.txt", "people.vtt",
    }  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("change", ["overwrite", "render", "settings", "analysis", "clip"])
def test_clips_are_made_again_where_they_may_differ(tmp_path, stages, make, change):
    make(output={"export": ["mot"]}).finish(RECORD)
    stages.pop("paths")
    settings: dict[str, dict[str, Any]] = {"output": {"export": ["vtt"]}}
    record, options = RECORD, {}
    if change == "overwrite":
        settings["run"] = {"overwrite": True}
    elif change == "render":
        options["from_timeline"] = True
    elif change == "settings":
        settings["clip"] = {"size": 256}
    elif change == "analysis":
        record = dataclasses.replace(RECORD, key="cd" * 32)
    else:
        (tmp_path / "a" / CLIP.file).write_bytes(b"")
    done = make(**settings).finish(record, **options)
    assert "paths" in stages
    assert set(done.extras) == {"vtt"} and not (tmp_path / "a/mot.txt").exists()


def test_a_second_run_needs_neither_models_nor_analysis_and_gives_the_same_bytes(tmp_path, stages, make):
    run(make())
    first = {p.name: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    shutil.rmtree(tmp_path / "a")
    stages.pop("info")
    again = make(no_models)
    again.prepare()
    assert again.analyse().cached
    run(again)
    assert "info" not in stages
    assert {p.name: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()} == first


@pytest.mark.parametrize(
    "section", [{"clip": {"size": 256}}, {"encode": {"quality": 30}}, {"identity": {"merge": 0.3}}]
)
def test_settings_after_the_analysis_use_the_stored_one(stages, make, section):
    run(make())
    stages.pop("info")
    run(make(no_models, **section))
    assert "info" not in stages


@pytest.mark.parametrize(
    "change", [{"analysis": {"min_face": 0.1}}, {"run": {"cache": False}}, {"analysis": {"embedder": "facenet"}}]
)
def test_settings_of_the_analysis_and_no_cache_make_a_new_one(stages, make, change):
    run(make())
    stages.pop("info")
    run(make(**change))
    assert stages.pop("info") is INFO
    if "run" in change:
        run(make(no_models))


def test_a_file_that_was_moved_is_the_same_video(stages, make):
    run(make())
    moved = dataclasses.replace(INFO, path=Path("elsewhere.mp4"))
    processor = make(no_models, info=moved)
    processor.prepare()
    assert processor.analyse().analysis.video.path == moved.path


def edit(folder: Path, old: str = '"name": "person_01"', new: str = '"name": "Anna"') -> str:
    text = (folder / "timeline.json").read_text()
    assert old in text
    (folder / "timeline.json").write_text(text.replace(old, new))
    return text.replace(old, new)


def test_an_edited_timeline_is_followed_now_and_later(tmp_path, stages, make):
    folder = tmp_path / "a"
    assert run(make()).timeline.edited is False
    edit(folder)
    manifest = run(make())
    assert [p.name for p in manifest.people] == ["Anna"]
    assert manifest.timeline.edited is True
    assert ",Anna," in (folder / "tracks.csv").read_text()
    # With other clip settings, people are still those of the edited timeline.
    manifest = run(make(clip={"size": 256}))
    assert [p.name for p in manifest.people] == ["Anna"]
    assert not (folder / "timeline.json.bak").exists()


def test_only_overwrite_begins_again_and_keeps_what_was_edited(tmp_path, stages, make):
    folder = tmp_path / "a"
    run(make())
    edited = edit(folder)
    manifest = run(make(run={"overwrite": True}))
    assert [p.name for p in manifest.people] == ["person_01"]
    assert manifest.timeline.edited is False
    assert (folder / "timeline.json.bak").read_text() == edited


def test_an_edited_timeline_never_follows_another_analysis(tmp_path, stages, make):
    run(make())
    edited = edit(tmp_path / "a")
    stages.pop("info")
    with pytest.raises(VideoProcessingError, match="--overwrite"):
        run(make(no_models, analysis={"min_face": 0.1}))
    assert "info" not in stages
    assert (tmp_path / "a" / "timeline.json").read_text() == edited


def test_edited_people_outlive_a_new_version_of_the_program_as_long_as_their_analysis_is_kept(
    tmp_path, stages, make, monkeypatch, cache
):
    run(make())
    edit(tmp_path / "a")
    monkeypatch.setattr(analysis_key, "code_digest", lambda: "another version")
    assert [p.name for p in run(make(no_models)).people] == ["Anna"]
    shutil.rmtree(cache / "analyses")
    with pytest.raises(VideoProcessingError, match="--overwrite"):
        run(make(no_models, clip={"size": 256}))


def test_a_wrongly_edited_timeline_is_named_and_left(tmp_path, stages, make):
    run(make())
    edited = edit(tmp_path / "a", '"end_s": 0.4', '"end_s": "0.4"')
    with pytest.raises(SettingsError, match=re.escape("people[0].segments[0].end_s: Expected `float`")):
        run(make())
    assert (tmp_path / "a" / "timeline.json").read_text() == edited


def test_killed_while_results_are_exchanged_the_edited_timeline_is_still_followed(tmp_path, stages, make, monkeypatch):
    folder = tmp_path / "a"
    run(make())
    edit(folder)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(output_folder, "remove_file", killed)
        with pytest.raises(KeyboardInterrupt):
            run(make())
    assert "replacing" in json.loads((folder / "manifest.json").read_text())
    manifest = run(make())
    assert [p.name for p in manifest.people] == ["Anna"]
    assert manifest.timeline.edited is True
