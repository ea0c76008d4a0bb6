"""What is said of clips before they are replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config import VERSION, Settings, result_settings
from core.settings_file import load_settings
from processors.results.existing_results import ExistingResults
from processors.results.remembered_settings import SettingsChange
from processors.results.replaced_clips import list_changes, refusal_error, replaced_clips
from processors.results.run_plan import Action, FolderFacts, Refusal, RunPlan
from tests.material.page_material import a_manifest, as_manifest

RENDER = RunPlan(Action.RENDER)
DONE: dict[str, Any] = {"timeline_rendered": True, "clips_intact": True}


def results(facts: dict[str, Any], **changes: Any) -> ExistingResults:
    values = {**a_manifest(), "version": VERSION, "settings": result_settings(Settings()), **changes}
    values["clips"] = [{**values["clips"][0], "file": f"p/{i}.mp4"} for i in range(12)]
    return ExistingResults(Path("a"), FolderFacts(**facts), as_manifest(values))


@pytest.mark.parametrize(
    ("facts", "changes", "reason"),
    [
        (DONE, {}, "made with the same settings"),
        (DONE, {"version": "0.0.9", "format": 0}, "made in the format of version 0.0.9"),
        (DONE, {"settings": {"clip": {"size": -1}}}, "made with settings that are not valid in this version"),
        ({**DONE, "timeline_rendered": False, "timeline_edited": True}, {}, "made from an earlier timeline.json"),
        ({**DONE, "clips_intact": False}, {}, "not all of which are as they were made"),
        ({**DONE, "clips_stale": True}, {}, "made from another analysis"),
    ],
)
def test_why_clips_are_replaced(facts, changes, reason):
    assert replaced_clips(results(facts, **changes), RENDER, Settings()) == f"12 clips, {reason}"


def test_other_settings_are_named_with_the_values_that_the_clips_have():
    wide = load_settings(None, {"clip": {"aspect": "16:9", "framing": "bust"}})
    assert replaced_clips(results(DONE), RENDER, wide) == "12 clips, made with aspect 1:1 and framing head"
    error = refusal_error(results(DONE), Refusal.OTHER_SETTINGS, wide)
    assert error.message == "it has 12 finished clips, made with aspect 1:1 and framing head"
    edited = refusal_error(results({**DONE, "timeline_edited": True}), Refusal.OTHER_SETTINGS, wide)
    assert edited.hint.startswith("main.py render") and "--overwrite replaces them and the timeline" in edited.hint


def test_a_variant_is_offered_only_where_it_would_do():
    def hint(values: dict[str, dict[str, Any]]) -> str:
        return refusal_error(results(DONE), Refusal.OTHER_SETTINGS, load_settings(None, values)).hint

    assert "--variant" in hint({"clip": {"aspect": "9:16"}, "encode": {"quality": 30}})
    assert "--variant" not in hint({"clip": {"aspect": "9:16", "min_clip": 3}})
    assert "--variant" not in hint({"analysis": {"min_face": 0.1}})
    assert "--variant" not in hint({"people": {"only": "Anna"}})


def test_nothing_is_replaced_where_clips_are_kept_or_there_are_none():
    assert replaced_clips(results(DONE), RunPlan(Action.SKIP), Settings()) == ""
    assert replaced_clips(results(DONE), RunPlan(Action.ADD_EXTRAS), Settings()) == ""
    assert replaced_clips(ExistingResults(Path("a"), FolderFacts()), RENDER, Settings()) == ""


def test_a_long_list_of_changes_is_cut():
    changes = [SettingsChange("clip", f"key_{i}", i, 0) for i in range(7)]
    assert list_changes(changes[:3]) == "key-0 0, key-1 1 and key-2 2"
    assert list_changes(changes) == "key-0 0, key-1 1, key-2 2, key-3 3 and 3 more"
    assert list_changes([SettingsChange("identity", "skip_still", True, False)]) == "skip-still yes"
    assert str(SettingsChange("clip", "max_clip", 0.0, 2.0)) == "max-clip 0.0"
    assert str(SettingsChange("people", "only", "", "Anna")) == "clips of everybody"
