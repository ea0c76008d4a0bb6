"""Finds out what has to be done about one input, before any heavy work starts."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePath

from config import Settings
from core.errors import PipelineError
from processors.batch.batch_inputs import BatchInput
from processors.batch.executor import VideoJob
from processors.batch.folder_claims import FolderClaims
from processors.known_people.people_namer import FinishedNames, NamedBy, PeopleNamer
from processors.results.existing_results import examine_folder
from processors.results.manifest import MANIFEST_FILE, Manifest, read_manifest
from processors.results.remembered_settings import CUTS, followed_settings, settings_changes
from processors.results.replaced_clips import list_changes, refusal_error, replaced_clips
from processors.results.run_plan import Action, Refusal, plan_run
from processors.results.timeline_file import TIMELINE_FILE
from utils.console.printable_text import ascii_safe
from utils.fingerprints import Fingerprint, fingerprint

logger = logging.getLogger(__name__)

_FolderState = tuple[tuple[int, int, int] | None, ...]
"""of the files that decide what is to be done: number, size and time of each, None for one that is missing"""


@dataclass(frozen=True, slots=True)
class Inspection:
    """One of: a `job` to do, the `manifest` of finished results, `same_as`, or the `reason` why it cannot be processed.

    With both a manifest and a reason, the results are finished, and are not changed as the user asks.
    same_as: another input of the batch that is the same video and is processed instead.
    folder: the output folder, if it is known. replaces: the finished clips that the job replaces and why, "" for none.
    follows: settings of the folder that are not the run's and are kept to, "" for none.
    seen: how the folder was then; see `is_outdated`.
    """

    job: VideoJob | None = None
    manifest: Manifest | None = None
    same_as: BatchInput | None = None
    reason: str = ""
    folder: Path | None = None
    replaces: str = ""
    follows: str = ""
    seen: _FolderState = ()

    @property
    def is_outdated(self) -> bool:
        """Whether somebody has written to the folder since."""
        return self.folder is not None and _folder_state(self.folder) != self.seen


def inspect_input(
    source: BatchInput,
    claims: FolderClaims,
    settings: Settings,
    namer: PeopleNamer | None = None,
    given: Collection[str] | None = None,
) -> Inspection:
    """Find out whether `source` is done, can be processed, or why not. Reads little and changes nothing.

    claims: of the whole batch. Inputs may be inspected in any order and on any thread. namer: results that name people
    otherwise than it would are not done. given: the settings that the user asks for; see `followed_settings`.
    """
    try:
        if source.problem:
            return Inspection(reason=source.problem)
        video_fingerprint = fingerprint(source.path)
        folder = claims.output_dir / claims.folder_for(source, video_fingerprint)
        if (other := claims.same_video(source, video_fingerprint)) is not None:
            return Inspection(same_as=other, folder=folder)
        seen = _folder_state(folder)
        manifest, own = read_manifest(folder), source.settings_of(settings)
        # Where lists of cuts were given for other videos only, nothing is said about the cuts of this one.
        if given is not None and settings.analysis.cuts and not source.cuts:
            given = frozenset(given) - {CUTS}
        followed = followed_settings(manifest, own, given)
        follows = list_changes(settings_changes(followed, own))
        existing = examine_folder(folder, video_fingerprint, followed, manifest=manifest)
        plan = plan_run(existing.facts, overwrite=followed.run.overwrite, may_replace=settings.run.overwrite)
        if plan.action is Action.SKIP and _names_are_current(existing.manifest, video_fingerprint, namer):
            return Inspection(manifest=existing.manifest, folder=folder, follows=follows, seen=seen)
        if plan.refusal is not None:
            refusal = refusal_error(existing, plan.refusal, followed)
            if plan.refusal is not Refusal.OTHER_SETTINGS:
                raise refusal
            return Inspection(manifest=existing.manifest, reason=one_line_reason(source, refusal), folder=folder)
        # Importing PyAV takes as long as all else that a run over finished inputs does.
        from core.media.stream_choice import choose_audio
        from core.media.video_probe import probe_video

        info = choose_audio(probe_video(source.path, followed.analysis.video_stream), followed.encode.audio_stream)
        job = VideoJob(source, info, video_fingerprint, folder, followed)
        replaces = replaced_clips(existing, plan, followed)
        return Inspection(job=job, folder=folder, replaces=replaces, follows=follows, seen=seen)
    except Exception as error:
        return Inspection(reason=one_line_reason(source, error))


def _folder_state(folder: Path) -> _FolderState:
    # Network file systems ask the server what is in a folder when it is opened, not for every file in it.
    for above in (folder.parent, folder):
        with contextlib.suppress(OSError):
            os.scandir(above).close()
    found: list[tuple[int, int, int] | None] = []
    for name in (MANIFEST_FILE, TIMELINE_FILE):
        try:
            status = (folder / name).stat()
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            found.append(None)
    return tuple(found)


def _names_are_current(manifest: Manifest | None, video: Fingerprint, namer: PeopleNamer | None) -> bool:
    if manifest is None or namer is None:
        return True
    people = {person.name: (person.id, person.known_as) for person in manifest.people}
    named_by = NamedBy(manifest.names.gallery, manifest.names.photos)
    suggestions = (person.match.suggestion for person in manifest.people)
    suggested = frozenset(suggestion.id for suggestion in suggestions if suggestion is not None)
    return namer.is_current(video, FinishedNames(people, named_by, suggested))


def one_line_reason(source: BatchInput, error: Exception) -> str:
    """Describe `error` in one line that follows the name of the input; its traceback is logged at debug level."""
    logger.debug("%s", source.label, exc_info=error)
    if isinstance(error, PipelineError):
        names = ("", source.path.name, PurePath(source.name).name)
        file = "" if error.path is None or error.path.name in names else f"{error.path.name}: "
        return ascii_safe(f"{file}{error.message} ({error.hint})" if error.hint else f"{file}{error.message}")
    if isinstance(error, OSError) and error.strerror:
        return ascii_safe(
            error.strerror if error.filename is None else f"{error.strerror}: {Path(error.filename).name}"
        )
    return ascii_safe(f"unexpected {type(error).__name__}: {error} (run again with -v for details)")
