"""The output folder of one video: replacing old results by new ones without ever losing either.

New results are made in a hidden folder beside the output folder and moved in when they are complete. Only files that
one of our manifests lists are ever removed; whatever else lies in the folder stays.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from core.errors import InterruptedRunError, LeaseHeldError, OutputError
from core.full_disk import full_disk_hint
from core.lease import LeaseTicket
from core.lease_file import ASIDE_PREFIX
from processors.clips.resume_journal import NOTES_FILE, has_finished_clips
from processors.results.manifest import MANIFEST_FILE, lies_inside, read_manifest
from processors.results.manifest_outline import ManifestState, folder_owner, read_outline, write_journal
from processors.results.output_leases import OutputLeases
from processors.results.result_tree import tree_folders
from processors.results.staging import (
    is_resumable,
    make_staging,
    move_beside,
    remove_tree,
    staged_folder,
    staging_folders,
)
from processors.results.timeline_file import TIMELINE_FILE, timeline_sha256
from processors.results.timeline_history import HISTORY_FOLDER, keep_version
from utils.files import PARTIAL_PREFIX, write_bytes
from utils.fingerprints import Fingerprint

logger = logging.getLogger(__name__)

BACKUP_FILE = "timeline.json.bak"

_OLD_NOTE = ".unfinished.json"
"""file that versions until 2026-11-28 kept in an output folder while they worked"""


def keep_backup(folder: Path) -> None:
    """Copy the timeline in `folder`, if there is one, to timeline.json.bak.

    Raises:
        OSError: the copy cannot be written.
    """
    with contextlib.suppress(FileNotFoundError):
        write_bytes(folder / BACKUP_FILE, (folder / TIMELINE_FILE).read_bytes())


@contextlib.contextmanager
def staged_results(
    folder: Path,
    owner: Fingerprint,
    *,
    resume: bool = False,
    lease: LeaseTicket | None = None,
    scratch: Path | None = None,
) -> Iterator[Path]:
    """Yield a staging folder to write results into; on success they replace those in `folder`.

    The staging folder is empty; with `resume` it holds the finished clips of an interrupted run on the same video, if
    there are any. On any exception (KeyboardInterrupt included) `folder` stays as it was; an interruption leaves
    finished clips for the next run. owner: fingerprint of the video. lease: of `folder`; nothing is replaced once it
    is lost. scratch: folder on a local disk for the staging folder; None: beside `folder`.

    Raises:
        OutputError: `folder` holds the results of another video, or the lease is lost, or the disk is full.
    """
    _require_owner(folder, owner)
    staging = make_staging(folder, owner, scratch, resume=resume)
    try:
        with _full_disk_named(staging, folder):
            yield staging
    except (InterruptedRunError, KeyboardInterrupt):
        if not has_finished_clips(staging):
            remove_tree(staging)
        raise
    except BaseException:
        remove_tree(staging)
        raise
    try:
        with _full_disk_named(folder, folder):
            staging = move_beside(staging, folder)
        if lease is not None:
            lease.require_held()
        _require_owner(folder, owner)
        _replace(folder, staging)
    finally:
        remove_tree(staging)


@contextlib.contextmanager
def _full_disk_named(target: Path, folder: Path) -> Iterator[None]:
    """Turn the OSError of a full disk, which names no file, into an OutputError that names where `target` lies.

    folder: of the video, which the error is about.
    """
    try:
        yield
    except OSError as error:
        hint = full_disk_hint(error.errno, target)
        if not hint:
            raise
        raise OutputError(f"the results cannot be written: {error.strerror}", path=folder, hint=hint) from error


def resumable_clips(folder: Path, owner: Fingerprint, scratch: Path | None = None) -> bool:
    """Whether an interrupted run on the video `owner` has left finished clips for `folder`. Changes nothing."""
    return any(has_finished_clips(path) for path in staging_folders(folder, owner, scratch))


def remove_leftovers(output_dir: Path) -> None:
    """Remove what killed runs left in `output_dir`; whatever a live run may be using stays.

    Finished clips of an interrupted video stay for a week, so that a later run can resume from them.

    Raises:
        OutputError: there are leftovers, and the folder cannot be written.
        OSError: one of them cannot be removed.
    """
    # Listed before the leases are read: the maker of one of these either holds a lease then or has ended.
    found = list(_leftovers(output_dir))
    leases = OutputLeases(output_dir)
    is_alone = not leases.held_by_others()
    for path, folder in found:
        if folder is None:
            if is_alone:
                _remove_leftover(path)
            continue
        with contextlib.suppress(LeaseHeldError), leases.take_video(folder):
            _remove_leftover(path)


def _leftovers(output_dir: Path) -> Iterator[tuple[Path, Path | None]]:
    """Leftovers that only a killed run can have made, each with the video's folder whose lease it had, if any."""
    holders = list(tree_folders(output_dir))
    for holder in holders:
        for path in holder.glob(f"{PARTIAL_PREFIX}*"):
            if is_resumable(path):
                continue
            yield path, staged_folder(path)
        # Journals, notes and edited timelines are written inside the video's folders.
        for path in holder.glob(f"*/{PARTIAL_PREFIX}*"):
            if _is_note(path) and not path.parent.name.startswith(PARTIAL_PREFIX):
                yield path, path.parent
        for path in holder.glob(f"*/{HISTORY_FOLDER}/{PARTIAL_PREFIX}*"):
            if _is_note(path):
                yield path, path.parent.parent
    for name in (f"{ASIDE_PREFIX}*", _OLD_NOTE):
        for path in output_dir.glob(name):
            yield path, None


def _is_note(path: Path) -> bool:
    return path.suffix in (".json", ".jsonl", ".bak") and path.is_file()


def _remove_leftover(path: Path) -> None:
    logger.debug("removing the leftover %s", path)
    with contextlib.suppress(FileNotFoundError):
        remove_tree(path)


def remove_file(folder: Path, file: str) -> None:
    """Remove `file` from `folder`, and the folders in between that are empty afterwards."""
    path = folder / file
    if folder.resolve() not in path.parent.resolve().joinpath(path.name).parents or path.is_dir():
        return
    path.unlink(missing_ok=True)
    parent = path.parent
    while parent != folder and not any(parent.iterdir()):
        parent.rmdir()
        parent = parent.parent


def _require_owner(folder: Path, owner: Fingerprint) -> None:
    # The run plan has checked this. Results cannot be restored, which is worth a second check.
    if folder_owner(folder) not in (None, owner):
        raise OutputError("the output folder holds the results of another video", path=folder, hint="use -o")


def _replace(folder: Path, staging: Path) -> None:
    old = read_outline(folder)
    if old.state is ManifestState.MISSING:
        with contextlib.suppress(FileNotFoundError):
            folder.rmdir()
        staging.rename(folder)
        (folder / NOTES_FILE).unlink(missing_ok=True)
        return
    new = read_manifest(staging)
    if new is None:
        raise OutputError("the new results have no manifest", path=staging)
    new_files = [entry.file for entry in new.files if lies_inside(entry.file)]
    kept = {*new_files, MANIFEST_FILE}
    # Read now, not when the run was planned: the timeline may have been edited while the clips were made.
    may_be_edited = old.timeline is None or old.timeline.is_edited(timeline_sha256(folder))
    if may_be_edited and not new.timeline.edited:
        keep_version(folder)
        keep_backup(folder)
    write_journal(folder, new, [*old.listed_files, *new_files])
    for file in new_files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (staging / file).replace(folder / file)
    for file in old.listed_files:
        if file not in kept:
            remove_file(folder, file)
    (staging / MANIFEST_FILE).replace(folder / MANIFEST_FILE)
