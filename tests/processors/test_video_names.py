"""Names of people in one video, its stages scripted: what a name changes, and who gets clips."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from core.settings_file import load_settings
from processors.known_people.people_namer import NamedBy, PeopleNamer, VideoNames
from processors.known_people.person_matching import Match
from processors.known_people.video_names import PersonName
from processors.video.video_request import VideoRequest
from processors.video_processor import VideoProcessor
from tests.material.scripted_stages import (
    CLIP,
    INFO,
    MARK,
    RECORD,
    Models,
    pretend_cache,
    pretend_monitor,
    pretend_stages,
)

stages = pytest.fixture(pretend_stages)
monitor = pytest.fixture(pretend_monitor)
cache = pytest.fixture(pretend_cache)


class Namer(PeopleNamer):
    """Gives the only person a name; notes what it is told."""

    def __init__(self, name: str) -> None:
        self.name_given = name
        self.told: list[tuple[str, str, bool]] = []
        self.clips: dict[str, int] = {}

    def load_photos(self) -> None:
        pass

    def name(self, fingerprint, record, timeline, folder, *, edited) -> VideoNames:
        self.told.append((timeline.people[0].name, folder, edited))
        folder_name = self.name_given or timeline.people[0].name
        found = PersonName(timeline.people[0].name, "P0007", self.name_given, folder_name, Match(7, 0.9, 0.8, "photo"))
        return VideoNames((found,), NamedBy("state", "photos"))

    def note_clips(self, fingerprint, clips) -> None:
        self.clips = dict(clips)


@pytest.fixture
def named(tmp_path, monitor, cache):
    """Makes the processor of a run in which the person is called `name`."""

    def make(name: str, **settings) -> tuple[VideoProcessor, Namer]:
        settings.setdefault("run", {})["cache_dir"] = str(cache)
        namer = Namer(name)
        chosen = load_settings(None, settings)
        models = cast(Any, Models)
        request = VideoRequest(INFO, tmp_path / "a", MARK, chosen)
        return VideoProcessor(request, monitor, models, namer), namer

    return make


def test_names_are_in_the_manifest_and_in_the_paths(tmp_path, stages, named):
    processor, namer = named("")
    person = processor.finish(RECORD).people[0]
    assert (person.name, person.id, person.known_as, person.match.source) == ("person_01", "P0007", "", "photo")
    assert namer.told == [("person_01", "a", False)] and namer.clips == {"person_01": 1}


ANONYMOUS = {"clip": {"template": "clip_$CLIP_NUMBER"}}
"""names of clips that do not tell the person"""


def test_a_new_name_moves_clips_without_recipes_without_making_them_again(tmp_path, stages, named):
    named("", **ANONYMOUS)[0].finish(RECORD)
    before = (tmp_path / "a" / CLIP.file).stat().st_ino
    stages.pop("paths")
    manifest = named("Anna", **ANONYMOUS)[0].finish(RECORD)
    assert "paths" not in stages
    assert (tmp_path / "a/Anna/clip_001.mp4").stat().st_ino == before
    assert not (tmp_path / "a/person_01").exists()
    assert [(clip.person, clip.file) for clip in manifest.clips] == [("Anna", "Anna/clip_001.mp4")]
    timeline = json.loads((tmp_path / "a/timeline.json").read_text())
    assert timeline["people"][0]["name"] == "Anna"
    assert manifest.names.gallery == "state" and manifest.people[0].known_as == "Anna"
    assert not manifest.timeline.edited


def test_extras_are_made_again_under_new_names(tmp_path, stages, named):
    named("", **ANONYMOUS, output={"export": ["vtt"]})[0].finish(RECORD)
    stages.pop("paths")
    named("Anna", **ANONYMOUS, output={"export": ["vtt"]})[0].finish(RECORD)
    assert "paths" not in stages
    assert "Anna" in (tmp_path / "a/people.vtt").read_text()


def test_names_that_were_given_once_are_not_taken_for_edits(tmp_path, stages, named):
    named("Anna")[0].finish(RECORD)
    processor, namer = named("")
    processor.finish(RECORD, from_timeline=True)
    assert namer.told == [("person_01", "a", False)]


def test_only_one_person_gets_clips(tmp_path, stages, named):
    manifest = named("Anna", people={"only": "Zoe"})[0].finish(RECORD)
    assert stages["paths"] == []
    assert not any("visible long enough" in line for line in manifest.warnings)
    assert manifest.names.only == "Zoe" and any("nobody in this video is Zoe" in line for line in manifest.warnings)
    named("Anna", people={"only": "anna"})[0].finish(RECORD)
    assert [path.segment.person for path in stages["paths"]] == ["Anna"]


def test_people_who_are_shown_too_briefly_in_all_get_no_clips(stages, named):
    manifest = named("Anna", clip={"min_time": 0.5})[0].finish(RECORD)
    assert stages["paths"] == [] and [person.on_screen_s for person in manifest.people] == [0.4]
    named("Anna", clip={"min_time": 0.3})[0].finish(RECORD)
    assert [path.segment.person for path in stages["paths"]] == ["Anna"]
