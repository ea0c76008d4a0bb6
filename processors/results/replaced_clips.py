"""Messages about finished clips before a run replaces them, or refuses to."""

from __future__ import annotations

from collections.abc import Sequence

from config import Settings
from core.errors import OutputError
from processors.results.existing_results import ExistingResults
from processors.results.manifest import RESULT_FORMAT, Manifest
from processors.results.remembered_settings import (
    SettingsChange,
    changed_settings,
    changed_variants,
    remembered_settings,
)
from processors.results.run_plan import Action, Refusal, RunPlan
from utils.console.plurals import count_of
from utils.console.printable_text import ascii_safe

_CHANGES_SHOWN = 4


def list_changes(changes: Sequence[SettingsChange]) -> str:
    """What results were made with, "aspect 1:1 and size 512"; "" without changes."""
    shown = [str(change) for change in changes[:_CHANGES_SHOWN]]
    if len(changes) > len(shown):
        shown.append(f"{len(changes) - len(shown)} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)


def refusal_error(existing: ExistingResults, refusal: Refusal, settings: Settings) -> OutputError:
    """The error that says why the folder cannot be used, and what to do."""
    message, hint = refusal.value
    if refusal is Refusal.OTHER_SETTINGS and existing.manifest is not None:
        message = f"it has {' and '.join(_clips_to_replace(existing.manifest, settings, 'finished clip'))}"
        hint = _remedies(existing.facts.timeline_edited, changed_settings(existing.manifest, settings), settings)
    return OutputError(message, path=existing.folder, hint=hint)


def _remedies(timeline_edited: bool, changes: Sequence[SettingsChange], settings: Settings) -> str:
    """What the user can do about clips made with other settings. changes: of the first set."""
    if settings.output.variant:
        return "--overwrite replaces them"
    ways = ["--overwrite replaces them and the timeline" if timeline_edited else "--overwrite replaces them"]
    if changes and all(change.may_differ_in_variant for change in changes):
        ways.append("--variant NAME makes a second set beside them")
    if timeline_edited:
        ways.insert(0, "main.py render makes them again and keeps timeline.json")
    return "; ".join(ways)


def replaced_clips(existing: ExistingResults, plan: RunPlan, settings: Settings) -> str:
    """The clips that `plan` replaces and why, as "12 clips, made with aspect 1:1"; "" if it replaces none."""
    manifest, facts = existing.manifest, existing.facts
    if manifest is None or not manifest.clips or plan.action in (Action.SKIP, Action.REFUSE):
        return ""
    at_stake = _clips_to_replace(manifest, settings, "clip")
    if at_stake or plan.action is Action.ADD_EXTRAS:
        return " and ".join(at_stake)
    if remembered_settings(manifest) is None:
        reason = "made with settings that are not valid in this version"
    elif manifest.format != RESULT_FORMAT:
        reason = f"made in the format of version {ascii_safe(manifest.version)}"
    elif facts.timeline_edited and not facts.timeline_rendered:
        reason = "made from an earlier timeline.json"
    elif not facts.clips_intact:
        reason = "not all of which are as they were made"
    elif facts.clips_stale:
        reason = "made from another analysis"
    else:
        reason = "made with the same settings"
    return f"{count_of(len(manifest.clips), 'clip')}, {reason}"


def _clips_to_replace(manifest: Manifest, settings: Settings, noun: str) -> list[str]:
    """The sets of clips that were made with other settings: "12 clips, made with aspect 1:1"."""
    found = []
    if changes := changed_settings(manifest, settings):
        found.append(f"{count_of(len(manifest.clips), noun)}, made with {list_changes(changes)}")
    for name, changes in changed_variants(manifest, settings).items():
        count = count_of(len(manifest.variants[name].clips), noun)
        found.append(f"{count} of {name}, made with {list_changes(changes)}")
    return found
