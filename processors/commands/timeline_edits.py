"""Edits of a finished folder's timeline.json: apply one, undo the last one.

`main.py render` then makes the clips.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from config import ClipSettings, IdentitySettings, SpeechSettings
from core.errors import OutputError, SettingsError
from processors.people.segments import SegmentRules
from processors.results.manifest import Manifest, read_manifest
from processors.results.output_folder import keep_backup
from processors.results.output_leases import folder_lease
from processors.results.timeline_file import TIMELINE_FILE, TimelineFile, check, parse_timeline, read_timeline
from processors.results.timeline_history import forget_version, keep_version, last_version
from utils.files import write_bytes

Change = Callable[[TimelineFile, SegmentRules], TimelineFile]
"""given the timeline and the rules that the folder was made with"""


def edit_people(folder: Path, change: Change) -> TimelineFile:
    """Apply `change` to the timeline in `folder` and return the result; `undo_edit` reverts it.

    Raises:
        SettingsError: the timeline is invalid or the change is impossible; nothing is written.
        OutputError: the folder cannot be written, or a run is working on the video.
    """
    with folder_lease(folder):
        path = folder / TIMELINE_FILE
        changed = change(read_timeline(folder), _rules(folder))
        check(changed, path)
        data = msgspec.json.format(msgspec.json.encode(changed), indent=2) + b"\n"
        try:
            keep_version(folder)
            keep_backup(folder)
            write_bytes(path, data)
        except OSError as error:
            raise OutputError(f"cannot write the timeline: {error.strerror}", path=path) from error
    return changed


def undo_edit(folder: Path) -> TimelineFile:
    """Restore the timeline before the last edit and return it; the replaced one becomes timeline.json.bak.

    Raises:
        SettingsError: no edit is left, or the earlier timeline belongs to another analysis; nothing is written.
        OutputError: the folder cannot be written, or a run is working on the video.
    """
    with folder_lease(folder):
        version = last_version(folder)
        if version is None:
            raise SettingsError("there is no correction to undo", path=folder)
        found = parse_timeline(version.data, version.path)
        if found.analysis != _manifest(folder).analysis:
            hint = f"the earlier timelines are in {version.path.parent.name}"
            raise SettingsError("was corrected before the video was analysed again", path=folder, hint=hint)
        path = folder / TIMELINE_FILE
        try:
            keep_backup(folder)
            write_bytes(path, version.data)
            forget_version(version)
        except OSError as error:
            raise OutputError(f"cannot write the timeline: {error.strerror}", path=path) from error
    return found


def _manifest(folder: Path) -> Manifest:
    manifest = read_manifest(folder)
    if manifest is None:
        raise _manifest_error(folder)
    return manifest


def _manifest_error(folder: Path) -> SettingsError:
    hint = "processing the video again with --overwrite makes a new one"
    return SettingsError("the folder's manifest.json is missing or damaged", path=folder, hint=hint)


def _rules(folder: Path) -> SegmentRules:
    settings = _manifest(folder).settings
    try:
        return SegmentRules.from_settings(
            msgspec.convert(settings["identity"], IdentitySettings),
            msgspec.convert(settings["clip"], ClipSettings),
            msgspec.convert(settings["speech"], SpeechSettings),
        )
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise _manifest_error(folder) from error
