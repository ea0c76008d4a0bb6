"""The table of what a run does with results that are there already."""

from __future__ import annotations

from typing import Any

import pytest

from processors.results.run_plan import Action, FolderFacts, Refusal, RunPlan, TimelineChoice, plan_run

DONE: dict[str, Any] = {
    "same_input": True,
    "same_settings": True,
    "timeline_rendered": True,
    "files_intact": True,
    "clips_intact": True,
}
"""facts about the complete results of a run like this one"""
EDITED = {**DONE, "timeline_edited": True, "timeline_rendered": False}
RENDERED_EDIT = {**DONE, "timeline_edited": True}
JOURNAL: dict[str, Any] = {"same_input": True}
RESUMABLE = {"clips_resumable": True}
OTHER = {**DONE, "same_settings": False, "clips_at_stake": True}
OVERWRITE, COMMAND = {"overwrite": True}, {"from_timeline": True}

SKIP, SKIP_EDITED = RunPlan(Action.SKIP), RunPlan(Action.SKIP, TimelineChoice.EDITED)
ADD, ADD_EDITED = RunPlan(Action.ADD_EXTRAS), RunPlan(Action.ADD_EXTRAS, TimelineChoice.EDITED)
ADD_RESUMED = RunPlan(Action.ADD_EXTRAS, resume=True)
RENDER, RESUME = RunPlan(Action.RENDER), RunPlan(Action.RENDER, resume=True)
FOLLOW = RunPlan(Action.RENDER, TimelineChoice.EDITED)
FOLLOW_RESUMED = RunPlan(Action.RENDER, TimelineChoice.EDITED, resume=True)
REFUSE = RunPlan(Action.REFUSE, refusal=Refusal.OTHER_SETTINGS)
REPEAT = RunPlan(Action.RENDER, TimelineChoice.UNCHANGED)

TABLE: list[tuple[str, dict[str, Any], dict[str, bool], RunPlan]] = [
    ("nothing there", {}, {}, RENDER),
    ("nothing but clips of an interrupted run", RESUMABLE, {}, RESUME),
    ("the same, overwriting", RESUMABLE, OVERWRITE, RENDER),
    ("done", DONE, {}, SKIP),
    ("done, overwriting", DONE, OVERWRITE, RENDER),
    ("done, but to be written", DONE, {"may_skip": False}, ADD),
    ("an extra is missing, clips are left", {**DONE, "extras_missing": True, **RESUMABLE}, {}, ADD_RESUMED),
    ("done, with an edited timeline", RENDERED_EDIT, {}, SKIP_EDITED),
    ("an extra is missing", {**DONE, "extras_missing": True}, {}, ADD),
    ("an extra is missing, overwriting", {**DONE, "extras_missing": True}, OVERWRITE, RENDER),
    ("an extra is missing of an edited timeline", {**RENDERED_EDIT, "extras_missing": True}, {}, ADD_EDITED),
    ("a file of an extra is gone", {**DONE, "files_intact": False}, {}, ADD),
    ("a clip is gone", {**DONE, "files_intact": False, "clips_intact": False}, {}, RENDER),
    ("another version", {**DONE, "same_settings": False}, {}, RENDER),
    ("another version, clips of an interrupted run", {**DONE, "same_settings": False, **RESUMABLE}, {}, RESUME),
    ("another version, edited timeline", {**EDITED, "same_settings": False}, {}, FOLLOW),
    ("other settings", OTHER, {}, REFUSE),
    ("other settings, clips of an interrupted run", {**OTHER, **RESUMABLE}, {}, REFUSE),
    ("other settings, edited timeline", {**EDITED, **OTHER}, {}, REFUSE),
    ("other settings, overwriting", OTHER, OVERWRITE, RENDER),
    ("other settings, overwriting, clips left", {**OTHER, **RESUMABLE}, OVERWRITE, RESUME),
    ("other settings, by order", OTHER, {"may_replace": True}, RENDER),
    ("other settings, render command", OTHER, COMMAND, REPEAT),
    ("other settings, but no clip", {**OTHER, "clips_at_stake": False}, {}, RENDER),
    ("settings that the clips do not depend on", {**DONE, "same_settings": False, "same_clips": True}, {}, ADD),
    ("clips of another analysis", {**DONE, "clips_stale": True, "extras_missing": True}, {}, RENDER),
    ("clips of another analysis, otherwise done", {**DONE, "clips_stale": True}, {}, RENDER),
    ("edited timeline", EDITED, {}, FOLLOW),
    ("edited timeline, interrupted render", {**EDITED, **RESUMABLE}, {}, FOLLOW_RESUMED),
    ("edited timeline, overwriting", {**EDITED, **RESUMABLE}, OVERWRITE, RENDER),
    ("timeline.json is gone", {**DONE, "timeline_rendered": False}, {}, RENDER),
    ("broken-off exchange", JOURNAL, {}, RENDER),
    ("broken-off exchange, clips left", {**JOURNAL, **RESUMABLE}, {}, RESUME),
    ("broken-off exchange of edited results", {**JOURNAL, "timeline_edited": True}, {}, FOLLOW),
    ("damaged manifest, everything else intact", {**DONE, "same_input": None, "same_settings": False}, {}, RENDER),
    ("render command, unedited", DONE, COMMAND, REPEAT),
    ("render command, edited", EDITED, COMMAND, FOLLOW),
    ("render command, edited and rendered", RENDERED_EDIT, COMMAND, FOLLOW),
    ("render command, interrupted", {**EDITED, **RESUMABLE}, COMMAND, FOLLOW_RESUMED),
    ("render command, overwriting", EDITED, {**COMMAND, **OVERWRITE}, REPEAT),
    *(
        (
            f"{refusal.name}, {list(options)}",
            {**facts, "obstacle": obstacle},
            options,
            RunPlan(Action.REFUSE, refusal=refusal),
        )
        for options in ({}, OVERWRITE, COMMAND)
        for refusal, obstacle, facts in (
            (Refusal.FILE_IN_THE_WAY, Refusal.FILE_IN_THE_WAY, {}),
            (Refusal.FOREIGN_FILES, Refusal.FOREIGN_FILES, {}),
            (Refusal.ANOTHER_VIDEO, None, {**DONE, "same_input": False}),
            (Refusal.ANOTHER_VIDEO, None, {**JOURNAL, "same_input": False}),
        )
    ),
]


@pytest.mark.parametrize(("facts", "options", "plan"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_a_run_does(facts: dict[str, Any], options: dict[str, bool], plan: RunPlan) -> None:
    assert plan_run(FolderFacts(**facts), **options) == plan


def test_results_whose_video_is_unknown_are_never_skipped() -> None:
    assert plan_run(FolderFacts(**{**DONE, "same_input": None})) == RENDER
