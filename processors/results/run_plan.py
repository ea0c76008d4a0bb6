"""What a run does with the results that an output folder already holds: one pure function, one table.

| in the folder                                               | run                      | with --overwrite          |
|-------------------------------------------------------------|--------------------------|---------------------------|
| a file in the way, files of others, another video's results | refuse                   | refuse                    |
| nothing, or results of another format                       | render, resume clips     | render                    |
| clips that were made with other settings                    | refuse                   | render, resume clips      |
| an exchange of results that was broken off                  | render, resume clips     | render                    |
| the wanted results, complete                                | skip                     | render                    |
| the wanted clips, but not an extra, a variant, who speaks   | reuse clips, add extras  | render                    |
| a timeline that somebody edited and that was not rendered   | render it, resume clips  | render a new one, back up |

A run follows the settings that a folder was made with (`remembered_settings`), so "other settings" are those that the
user asks for. `main.py render` always renders the timeline that is there. An edited timeline is never lost: if a new
one replaces it, `output_folder` keeps it as timeline.json.bak.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Action(enum.Enum):
    """What a run does with an output folder."""

    REFUSE = "refuse"
    SKIP = "skip"
    """everything wanted exists"""
    ADD_EXTRAS = "add extras"
    """reuse the clips and make only the missing extras"""
    RENDER = "render"


class TimelineChoice(enum.Enum):
    """Which timeline a run follows."""

    NEW = "new"
    """made from the analysis"""
    EDITED = "edited"
    """the one in the folder, edited by a user"""
    UNCHANGED = "unchanged"
    """the one in the folder, as the program wrote it"""


class Refusal(enum.Enum):
    """Why a folder cannot be used: the message, and what to do."""

    FILE_IN_THE_WAY = ("a file is in the way of the output folder", "move it or use -o")
    FOREIGN_FILES = (
        "the output folder has files that were not made by this program (it has no manifest.json)",
        "move them or use -o",
    )
    ANOTHER_VIDEO = ("the output folder holds the results of another video", "use -o")
    OTHER_SETTINGS = ("its clips were made with other settings", "--overwrite replaces them")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFacts:
    """What a plan depends on, as `existing_results.examine_folder` finds it.

    obstacle: why the folder is not ours at all.
    same_input: the fingerprint in the manifest is that of the video; None if it names none.
    same_settings: the results are complete, and format and settings are those of this run.
    same_clips: the same for those settings that the clips depend on.
    clips_at_stake: there are clips, and they were made with other settings.
    timeline_edited: somebody has edited the timeline since the program made it, even if all edits were undone after
        the results were made.
    timeline_rendered: the results were made from the present timeline.
    files_intact: all listed files exist and have their listed size.
    clips_intact: the same for all clips, and none is a symbolic link, so they can be reused.
    clips_stale: the clips are known to come from another analysis than the one of this run.
    extras_missing: extras are wanted that are not there.
    clips_resumable: an interrupted run on this video left finished clips.
    """

    obstacle: Refusal | None = None
    same_input: bool | None = None
    same_settings: bool = False
    same_clips: bool = False
    clips_at_stake: bool = False
    timeline_edited: bool = False
    timeline_rendered: bool = False
    files_intact: bool = False
    clips_intact: bool = False
    clips_stale: bool = False
    extras_missing: bool = False
    clips_resumable: bool = False


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to do.

    resume: when clips are made, start with the finished ones of an interrupted run. refusal: set if and only if the
    action is REFUSE.
    """

    action: Action
    timeline: TimelineChoice = TimelineChoice.NEW
    resume: bool = False
    refusal: Refusal | None = None


def plan_run(
    facts: FolderFacts,
    *,
    overwrite: bool = False,
    from_timeline: bool = False,
    may_skip: bool = True,
    may_replace: bool = False,
) -> RunPlan:
    """The plan for one video.

    overwrite: start over, whatever exists. from_timeline: render the timeline in the folder (`main.py render`).
    may_skip: False if the folder has to be written even if everything exists. may_replace: clips of other settings
    may be replaced without `overwrite`.
    """
    refusal = Refusal.ANOTHER_VIDEO if facts.same_input is False else facts.obstacle
    if refusal is not None:
        return RunPlan(Action.REFUSE, refusal=refusal)
    timeline = _timeline(facts, overwrite=overwrite, from_timeline=from_timeline)
    if facts.clips_at_stake and not (overwrite or from_timeline or may_replace):
        return RunPlan(Action.REFUSE, refusal=Refusal.OTHER_SETTINGS)
    if _same_clips(facts) and not overwrite and not from_timeline:
        if may_skip and facts.same_settings and facts.files_intact and not facts.extras_missing:
            return RunPlan(Action.SKIP, timeline)
        if facts.clips_intact:
            # People may have other names by now, and then some clips may have to be made after all.
            return RunPlan(Action.ADD_EXTRAS, timeline, resume=facts.clips_resumable)
    # Finished clips are reused only if they are as wanted, so clips of other settings come from a run like this one.
    may_resume = not overwrite or facts.clips_at_stake
    return RunPlan(Action.RENDER, timeline, resume=facts.clips_resumable and may_resume)


def _timeline(facts: FolderFacts, *, overwrite: bool, from_timeline: bool) -> TimelineChoice:
    if facts.timeline_edited and not overwrite:
        return TimelineChoice.EDITED
    return TimelineChoice.UNCHANGED if from_timeline else TimelineChoice.NEW


def _same_clips(facts: FolderFacts) -> bool:
    """Whether the clips in the folder are those that this run would make, apart from files that are missing."""
    same_work = facts.same_input is True and (facts.same_settings or facts.same_clips)
    return same_work and facts.timeline_rendered and not facts.clips_stale
