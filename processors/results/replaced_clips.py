"""What is said of finished clips before a run replaces them, or refuses to."""

from __future__ import annotations

from collections.abc import Sequence

from config import VERSION, Settings
from core.errors import OutputError, ascii_safe
from processors.results.old_results import OldResults
from processors.results.remembered_settings import SettingsChange, changed_settings
from processors.results.run_plan import Action, Refusal, RunPlan
from utils.plurals import count_of

_CHANGES_SHOWN = 4


def list_changes(changes: Sequence[SettingsChange]) -> str:
    """What results were made with, "aspect 1:1 and size 512"; "" without changes."""
    shown = [str(change) for change in changes[:_CHANGES_SHOWN]]
    if len(changes) > len(shown):
        shown.append(f"{len(changes) - len(shown)} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)


def refusal_error(old: OldResults, refusal: Refusal, settings: Settings) -> OutputError:
    """The error that says why the folder cannot be used, and what to do."""
    message, hint = refusal.value
    if refusal is Refusal.OTHER_SETTINGS and old.manifest is not None:
        clips = count_of(len(old.manifest.clips), "finished clip")
        message = f"it has {clips}, made with {list_changes(changed_settings(old.manifest, settings))}"
        if old.facts.timeline_edited:
            hint = f"main.py render makes them anew and keeps the edited timeline; {hint} and it"
    return OutputError(message, path=old.folder, hint=hint)


def replaced_clips(old: OldResults, plan: RunPlan, settings: Settings) -> str:
    """The clips that `plan` replaces and why, "12 clips, made with aspect 1:1"; "" where it replaces none."""
    manifest, facts = old.manifest, old.facts
    if manifest is None or not manifest.clips or plan.action is not Action.RENDER:
        return ""
    if different := list_changes(changed_settings(manifest, settings)):
        reason = f"made with {different}"
    elif manifest.version != VERSION:
        reason = f"made by version {ascii_safe(manifest.version)}"
    elif facts.timeline_edited and not facts.timeline_rendered:
        reason = "made before the timeline was edited"
    elif not facts.clips_intact:
        reason = "not all of which are as they were made"
    elif facts.clips_stale:
        reason = "made from another analysis"
    else:
        reason = "made with the same settings"
    return f"{count_of(len(manifest.clips), 'clip')}, {reason}"
