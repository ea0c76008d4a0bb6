"""The output folder of one video: replacing old results by new ones without ever losing either.

New results are made in a hidden folder beside the output folder and moved in when they are complete. Only files that
one of our manifests lists are ever removed; whatever else lies in the folder stays.
"""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from core.errors import InterruptedRunError, LeaseHeldError, OutputError
from core.lease import ASIDE_PREFIX, LeaseTicket
from processors.clips.resume_journal import NOTES_FILE, has_finished_clips
from processors.results.manifest import MANIFEST_FILE, lies_inside, read_manifest
from processors.results.manifest_outline import ManifestState, folder_owner, read_outline, write_journal
from processors.results.output_leases import OutputLeases
from processors.results.result_tree import tree_folders
from processors.results.timeline_file import TIMELINE_FILE, timeline_sha256
from processors.results.timeline_history import HISTORY_FOLDER, keep_version
from utils.files import PARTIAL_PREFIX, write_bytes
from utils.fingerprints import Fingerprint

logger = logging.getLogger(__name__)

BACKUP_FILE = "timeline.json.bak"

_RESUMABLE_FOR_S = 7 * 86400
_STAGING_NAME = re.compile(
    rf"{re.escape(PARTIAL_PREFIX)}(?P<folder>.+)\.(?P<video>[0-9a-f]{{2,16}}-[0-9]+)(\.[0-9a-f]{{8}})?", re.DOTALL
)
_OLD_NOTE = ".unfinished.json"
"""what versions until 2026-11-28 kept in an output folder while they worked"""


def keep_backup(folder: Path) -> None:
    """Copy the timeline in `folder`, if there is one, to timeline.json.bak.

    Raises:
        OSError: the copy cannot be written.
    """
    with contextlib.suppress(FileNotFoundError):
        write_bytes(folder / BACKUP_FILE, (folder / TIMELINE_FILE).read_bytes())


@contextlib.contextmanager
def staged_results(
    folder: Path, owner: Fingerprint, *, resume: bool = False, lease: LeaseTicket | None = None
) -> Iterator[Path]:
    """Yield a staging folder to write results into; on success they replace those in `folder`.

    The staging folder is empty, or with `resume` holds the finished clips of an interrupted run on the same video, if
    there are any. On any exception (KeyboardInterrupt included) `folder` stays as it was; an interruption leaves
    finished clips for the next run. owner: fingerprint of the video. lease: of `folder`; nothing is replaced once it
    is lost.

    Raises:
        OutputError: `folder` holds the results of another video, or the lease is lost.
    """
    _require_owner(folder, owner)
    staging = _staging_folder(folder, owner, resume=resume)
    try:
        yield staging
    except (InterruptedRunError, KeyboardInterrupt):
        if not has_finished_clips(staging):
            _remove_tree(staging)
        raise
    except BaseException:
        _remove_tree(staging)
        raise
    try:
        if lease is not None:
            lease.require_held()
        _require_owner(folder, owner)
        _replace(folder, staging)
    finally:
        _remove_tree(staging)


def resumable_clips(folder: Path, owner: Fingerprint) -> bool:
    """Whether an interrupted run on the video `owner` has left finished clips for `folder`. Changes nothing."""
    return any(has_finished_clips(path) for path in _staging_folders(folder, owner))


def staged_folder(staging: Path) -> Path | None:
    """The video's folder that the results in `staging` were made for; None if it is no staging folder."""
    match = _STAGING_NAME.fullmatch(staging.name)
    return None if match is None else staging.parent / match["folder"]


def remove_leftovers(output_dir: Path) -> None:
    """Remove what killed runs left in `output_dir`; what a living one may be using stays.

    Finished clips of an interrupted video stay for a week, so that a later run can resume from them.

    Raises:
        OutputError: there are leftovers, and the folder cannot be written.
        OSError: one of them cannot be removed.
    """
    # Listed before the leases are looked at: whoever made one of these either holds a lease then or has ended.
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
    """What only a killed run can have left, each with the video's folder whose lease it was made under, if any."""
    holders = list(tree_folders(output_dir))
    for holder in holders:
        for path in holder.glob(f"{PARTIAL_PREFIX}*"):
            if has_finished_clips(path) and not _is_old(path / NOTES_FILE):
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
        _remove_tree(path)


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
    # The run plan has checked this. Results that cannot be brought back are worth a second check.
    if folder_owner(folder) not in (None, owner):
        raise OutputError("the output folder holds the results of another video", path=folder, hint="use -o")


def _staging_folder(folder: Path, owner: Fingerprint, *, resume: bool) -> Path:
    """A staging folder that no other run knows of; with `resume`, with the finished clips of one that is no more."""
    path = folder.parent / f"{PARTIAL_PREFIX}{folder.name}.{_video_mark(owner)}.{secrets.token_hex(4)}"
    # Whoever made the others has ended, or lost its lease and goes on writing: then it must not find its folder.
    for other in _staging_folders(folder, owner):
        if resume and not path.exists() and has_finished_clips(other):
            other.rename(path)
        else:
            _remove_tree(other)
    path.mkdir(parents=True, exist_ok=True)
    return path


def _staging_folders(folder: Path, owner: Fingerprint) -> list[Path]:
    # Under any name: the file may have had another one when its run was interrupted.
    found = ((path, _STAGING_NAME.fullmatch(path.name)) for path in sorted(folder.parent.glob(f"{PARTIAL_PREFIX}*")))
    return [path for path, match in found if match is not None and match["video"] == _video_mark(owner)]


def _video_mark(owner: Fingerprint) -> str:
    # The fingerprint keeps the finished clips of two videos with the same name apart.
    return f"{owner.sha256[:16]}-{owner.size_bytes}"


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > _RESUMABLE_FOR_S


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
    # Looked at now, not when the run was planned: the timeline may have been edited while the clips were made.
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


def _remove_tree(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
