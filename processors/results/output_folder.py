"""The output folder of one video: locking it, and replacing old results by new ones without ever losing either.

New results are made in a hidden folder beside the output folder and moved in when they are complete. Only files that
one of our manifests lists are ever removed; whatever else lies in the folder stays.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import InterruptedRunError, OutputError
from processors.clips.resume_journal import NOTES_FILE, has_finished_clips
from processors.results.manifest import MANIFEST_FILE, lies_inside, read_manifest
from processors.results.manifest_outline import ManifestState, folder_owner, read_outline, write_journal
from processors.results.result_tree import LOCK_FILE, tree_folders
from processors.results.timeline_file import TIMELINE_FILE, timeline_sha256
from processors.results.timeline_history import HISTORY_FOLDER, keep_version
from utils.files import PARTIAL_PREFIX, write_bytes
from utils.fingerprints import Fingerprint

logger = logging.getLogger(__name__)

BACKUP_FILE = "timeline.json.bak"

_RESUMABLE_FOR_S = 7 * 86400


@contextlib.contextmanager
def output_lock(output_dir: Path) -> Iterator[None]:
    """Hold the lock of `output_dir` and all folders in it against other runs; `output_dir` is created if missing.

    Raises:
        OutputError: the folder cannot be written, or another run holds the lock.
    """
    lock = FileLock(output_dir / LOCK_FILE, timeout=0)
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise OutputError("another run is writing to this folder", path=output_dir, hint="wait, or use -o") from error
    except OSError as error:
        raise OutputError(f"cannot write to the output folder: {error.strerror}", path=output_dir) from error
    try:
        yield
    finally:
        lock.release()


def keep_backup(folder: Path) -> None:
    """Copy the timeline in `folder`, if there is one, to timeline.json.bak.

    Raises:
        OSError: the copy cannot be written.
    """
    with contextlib.suppress(FileNotFoundError):
        write_bytes(folder / BACKUP_FILE, (folder / TIMELINE_FILE).read_bytes())


@contextlib.contextmanager
def staged_results(folder: Path, owner: Fingerprint, *, resume: bool = False) -> Iterator[Path]:
    """Yield a staging folder to write results into; on success they replace those in `folder`.

    The staging folder is empty, or with `resume` holds the finished clips of an interrupted run on the same video, if
    there are any. On any exception (KeyboardInterrupt included) `folder` stays as it was; an interruption leaves
    finished clips for the next run. owner: fingerprint of the video.

    Raises:
        OutputError: `folder` holds the results of another video.
    """
    _require_owner(folder, owner)
    staging = _staging_folder(folder, owner)
    if not (resume and has_finished_clips(staging)):
        _remove_tree(staging)
    staging.mkdir(parents=True, exist_ok=True)
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
        _require_owner(folder, owner)
        _replace(folder, staging)
    finally:
        _remove_tree(staging)


def resumable_clips(folder: Path, owner: Fingerprint) -> bool:
    """Whether an interrupted run on the video `owner` has left finished clips for `folder`. Changes nothing."""
    return any(has_finished_clips(path) for path in _staging_folders(folder, owner))


def remove_leftovers(output_dir: Path) -> None:
    """Remove what a killed run left in `output_dir`. Call this only with the lock held.

    Finished clips of an interrupted video stay for a week, so that a later run can resume from them.
    """
    holders = list(tree_folders(output_dir))
    staging = [path for holder in holders for path in holder.glob(f"{PARTIAL_PREFIX}*")]
    kept = [path for path in staging if has_finished_clips(path) and not _is_old(path / NOTES_FILE)]
    # Journals, notes and edited timelines are written inside the video's folders.
    inside = [
        path
        for holder in holders
        for pattern in ("*", f"*/{HISTORY_FOLDER}")
        for path in holder.glob(f"{pattern}/{PARTIAL_PREFIX}*")
        if path.suffix in (".json", ".jsonl", ".bak") and path.is_file() and path.parent not in staging
    ]
    for path in [*(path for path in staging if path not in kept), *inside]:
        logger.debug("removing the leftover %s", path)
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


def _staging_folder(folder: Path, owner: Fingerprint) -> Path:
    path = folder.parent / f"{PARTIAL_PREFIX}{folder.name}{_staging_suffix(owner)}"
    for other in _staging_folders(folder, owner):
        # The file may have had another name when its run was interrupted.
        if other != path and not path.exists():
            other.rename(path)
    return path


def _staging_folders(folder: Path, owner: Fingerprint) -> list[Path]:
    suffix = _staging_suffix(owner)
    return [path for path in folder.parent.glob(f"{PARTIAL_PREFIX}*") if path.name.endswith(suffix)]


def _staging_suffix(owner: Fingerprint) -> str:
    # The fingerprint keeps the finished clips of two videos with the same name apart.
    return f".{owner.sha256[:16]}-{owner.size_bytes}"


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
