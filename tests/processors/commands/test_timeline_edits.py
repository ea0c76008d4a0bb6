"""Edits of timeline.json on disk: what is written, kept, refused and taken back."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from config import Settings, result_settings
from core.errors import OutputError, SettingsError
from core.settings_file import load_settings
from processors.commands.people_editor import rename, split
from processors.commands.timeline_edits import edit_people, undo_edit
from processors.people.segments import SegmentRules
from processors.results.output_leases import OutputLeases, mark_output_folder
from processors.results.result_tree import MARK_FILE
from processors.results.timeline_file import read_timeline
from tests.material.page_material import a_manifest
from tests.processors.commands.test_people_editor import TIMELINE
from utils.files import write_json


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out" / "video"
    made.mkdir(parents=True)
    settings = load_settings(None, {"clip": {"min_clip": 0.5}, "identity": {"skip_still": True}})
    write_json(made / "manifest.json", {**a_manifest(), "analysis": "ab" * 32, "settings": result_settings(settings)})
    (made / "timeline.json").write_bytes(msgspec.json.encode(TIMELINE))
    return made


def test_an_edit_is_written_and_the_one_before_is_kept(folder):
    before = (folder / "timeline.json").read_bytes()
    returned = edit_people(folder, lambda current, rules: rename(current, "person_01", "Anna"))
    assert read_timeline(folder) == returned
    assert (folder / "timeline.json.bak").read_bytes() == before
    assert json.loads((folder / "timeline.json").read_text())["people"][0]["name"] == "Anna"
    assert sorted(p.name for p in folder.iterdir()) == [
        ".timeline-history", "manifest.json", "timeline.json", "timeline.json.bak",
    ]  # fmt: skip


def test_the_rules_are_those_that_the_folder_was_made_with(folder):
    given = []

    def note_rules(current, rules):
        given.append(rules)
        return current

    edit_people(folder, note_rules)
    assert given == [SegmentRules(0.5, Settings().clip.merge_gap, True)]


@pytest.mark.parametrize(
    "change",
    [
        lambda current, rules: rename(current, "person_01", "PERSON_02"),
        lambda current, rules: rename(current, "nobody", "x"),
        lambda current, rules: split(current, rules, "person_04", [5], "person_01"),
    ],
)
def test_what_cannot_be_done_changes_nothing(folder, change):
    before = (folder / "timeline.json").read_bytes()
    with pytest.raises(SettingsError):
        edit_people(folder, change)
    assert (folder / "timeline.json").read_bytes() == before
    assert not (folder / "timeline.json.bak").exists()


def test_a_damaged_manifest_or_timeline_is_reported(folder):
    (folder / "timeline.json").write_text("{")
    with pytest.raises(SettingsError, match=r"timeline\.json"):
        edit_people(folder, lambda current, rules: current)
    (folder / "timeline.json").write_bytes(msgspec.json.encode(TIMELINE))
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(SettingsError, match=r"manifest.* \(.*--overwrite"):
        edit_people(folder, lambda current, rules: current)


def test_nobody_edits_while_a_run_writes(folder):
    with OutputLeases(folder.parent).take_video(folder), pytest.raises(OutputError, match="video: another run"):
        edit_people(folder, lambda current, rules: current)


def test_an_edit_is_taken_back_byte_for_byte_and_the_edited_one_is_kept(folder):
    before = (folder / "timeline.json").read_bytes()
    edit_people(folder, lambda current, rules: rename(current, "person_01", "Anna"))
    edited = (folder / "timeline.json").read_bytes()
    assert undo_edit(folder) == TIMELINE
    assert (folder / "timeline.json").read_bytes() == before
    assert (folder / "timeline.json.bak").read_bytes() == edited
    with pytest.raises(SettingsError, match="no correction to undo"):
        undo_edit(folder)


def test_a_timeline_that_was_damaged_by_hand_is_mended_by_taking_the_edit_back(folder):
    edit_people(folder, lambda current, rules: rename(current, "person_01", "Anna"))
    (folder / "timeline.json").write_text("{")
    assert undo_edit(folder) == TIMELINE


def test_edits_of_another_analysis_are_not_taken_back(folder):
    edit_people(folder, lambda current, rules: rename(current, "person_01", "Anna"))
    manifest = json.loads((folder / "manifest.json").read_text())
    write_json(folder / "manifest.json", {**manifest, "analysis": "cd" * 32})
    edited = (folder / "timeline.json").read_bytes()
    with pytest.raises(SettingsError, match=r"analysed again \(the earlier timelines are in .timeline-history"):
        undo_edit(folder)
    assert (folder / "timeline.json").read_bytes() == edited


def test_a_folder_inside_folders_has_its_lease_in_the_output_folder(folder):
    output, nested = folder.parent, folder.parent / "2024" / "may" / "video"
    nested.parent.mkdir(parents=True)
    folder.rename(nested)
    with OutputLeases(mark_output_folder(output)).take_video(nested):
        assert [path.name for path in output.glob(".lease-*")] == [".lease-2024%2Fmay%2Fvideo"]
        with pytest.raises(OutputError, match="another run"):
            edit_people(nested, lambda current, rules: current)
        with pytest.raises(OutputError, match="another run"):
            undo_edit(nested)
    edit_people(nested, lambda current, rules: rename(current, "person_01", "Anna"))
    assert undo_edit(nested) == TIMELINE
    assert list(output.rglob(MARK_FILE)) == [output / MARK_FILE]


def test_nobody_takes_an_edit_back_while_a_run_writes(folder):
    with OutputLeases(folder.parent).take_video(folder), pytest.raises(OutputError, match="video: another run"):
        undo_edit(folder)


def test_an_edit_that_fails_half_way_can_still_be_taken_back(folder, monkeypatch):
    """The versions are written before the timeline, so a full disk in between loses nothing."""
    edit_people(folder, lambda current, rules: rename(current, "person_01", "Anna"))
    before = (folder / "timeline.json").read_bytes()

    def full(path, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("processors.commands.timeline_edits.write_bytes", full)
        with pytest.raises(OutputError, match="No space left"):
            edit_people(folder, lambda current, rules: rename(current, "Anna", "Bob"))
    assert (folder / "timeline.json").read_bytes() == before
    assert undo_edit(folder) == TIMELINE
