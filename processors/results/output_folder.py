"""The output folder of one video: is it done, and how new results take the place of old ones.

New results are made in a hidden folder beside it and moved in when they are complete. Only files
that a manifest of ours lists are ever removed; whatever else lies there stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from config import VERSION, Settings, result_settings
from core.errors import InterruptedRunError, OutputError
from processors.clips.resume_journal import NOTES_FILE, has_finished_clips
from processors.results.folder_owner import folder_owner
from processors.results.output_writer import MANIFEST_FILE, MANIFEST_SCHEMA, TIMELINE_FILE
from utils.files import PARTIAL_PREFIX, write_bytes, write_json
from utils.fingerprints import Fingerprint

logger = logging.getLogger(__name__)

LOCK_FILE = ".lock"
BACKUP_FILE = "timeline.json.bak"

_UNFINISHED_FOR_S = 7 * 86400


@contextlib.contextmanager
def output_lock(output_dir: Path) -> Iterator[None]:
    """Nobody else of us writes to `output_dir` and the folders in it meanwhile; it is made where it is missing.

    Raises:
        OutputError: it cannot be written, or another run is writing there.
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


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest in `folder`, {} where it is damaged, None where there is none."""
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        logger.debug("%s: %s", folder / MANIFEST_FILE, error)
        return {}
    return manifest if isinstance(manifest, dict) else {}


def done_manifest(folder: Path, source: Fingerprint, settings: Settings) -> dict[str, Any] | None:
    """The manifest in `folder` if it tells of a complete run of this version on this very input with these settings.

    Complete means that every file it lists is there with the size it had, that the timeline was not edited since,
    and that no extra is missing that is wanted now.
    """
    manifest = read_manifest(folder)
    if not manifest or not same_work(manifest, folder, source, settings):
        return None
    try:
        intact = all(_size(folder / entry["file"]) == entry["bytes"] for entry in manifest["files"])
        intact = intact and settings.output.extras <= set(manifest["extras"])
        # What readers of a done manifest rely on.
        intact = intact and len(manifest["people"]) >= 0 and float(manifest["video"]["duration_s"]) >= 0
    except (KeyError, TypeError, ValueError):
        return None
    return manifest if intact else None


def same_work(manifest: dict[str, Any], folder: Path, source: Fingerprint, settings: Settings) -> bool:
    """Whether this version wrote `manifest` about this very input, with these settings and the timeline in `folder`."""
    if (manifest.get("schema"), manifest.get("version")) != (MANIFEST_SCHEMA, VERSION):
        return False
    if manifest.get("settings") != result_settings(settings):
        return False
    try:
        recorded = manifest["input"]
        same_input = (recorded["size_bytes"], recorded["sha256"]) == (source.size_bytes, source.sha256)
        return same_input and _timeline_digest(folder) == manifest["timeline"]["sha256"]
    except (KeyError, TypeError):
        return False


def has_edited_timeline(folder: Path) -> bool:
    """Whether the timeline in `folder` was changed by somebody since the program worked it out."""
    digest, manifest = _timeline_digest(folder), read_manifest(folder)
    if digest is None or not manifest or not isinstance(made := manifest.get("timeline"), dict):
        return False
    # Without a sum it is a journal: the exchange was broken off, and the timeline is the old or the new one.
    return made.get("edited") is True or made.get("sha256", digest) != digest


def keep_backup(folder: Path) -> None:
    """Copy the timeline in `folder`, where there is one, to timeline.json.bak.

    Raises:
        OSError: that cannot be written.
    """
    with contextlib.suppress(FileNotFoundError):
        write_bytes(folder / BACKUP_FILE, (folder / TIMELINE_FILE).read_bytes())


def check_writable(folder: Path) -> None:
    """Refuse a folder of somebody else's.

    Raises:
        OutputError: there is a file of that name, or a folder with files in it and no manifest of ours.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError("a file is in the way of the output folder", path=folder, hint="move it or use -o")
    if folder.is_dir() and read_manifest(folder) is None and any(folder.iterdir()):
        raise OutputError(
            "the output folder has files that were not made by this program (it has no manifest.json)",
            path=folder,
            hint="move them or use -o",
        )


@contextlib.contextmanager
def staged_results(folder: Path, owner: Fingerprint, *, resume: bool = False) -> Iterator[Path]:
    """Yield a folder to write into; on success its files take the place of those in `folder`.

    It is empty, or with `resume` what an earlier run on the same video left there, if that holds finished clips. On
    any exception (KeyboardInterrupt included) `folder` stays as it was; an interruption leaves finished clips for the
    next run. owner: fingerprint of the video.

    Raises:
        OutputError: `folder` holds the results of another video.
    """
    _refuse_anothers(folder, owner)
    partial = _unfinished(folder, owner)
    if not (resume and has_finished_clips(partial)):
        _remove_tree(partial)
    partial.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
    except (InterruptedRunError, KeyboardInterrupt):
        if not has_finished_clips(partial):
            _remove_tree(partial)
        raise
    except BaseException:
        _remove_tree(partial)
        raise
    try:
        _refuse_anothers(folder, owner)
        _replace(folder, partial)
    finally:
        _remove_tree(partial)


def remove_leftovers(output_dir: Path) -> None:
    """Remove what a killed run left in `output_dir`; to be called only while no other run writes there.

    Finished clips of a video that was under way stay for a week, for a run that goes on with them.
    """
    partials = list(output_dir.glob(f"{PARTIAL_PREFIX}*"))
    kept = [path for path in partials if has_finished_clips(path) and not _is_old(path / NOTES_FILE)]
    # Journals, notes and edited timelines are written inside the folders.
    inside = [
        path
        for path in output_dir.glob(f"*/{PARTIAL_PREFIX}*")
        if path.suffix in (".json", ".jsonl", ".bak") and path.is_file() and path.parent not in partials
    ]
    for path in [*(path for path in partials if path not in kept), *inside]:
        logger.debug("removing the leftover %s", path)
        _remove_tree(path)


def _refuse_anothers(folder: Path, owner: Fingerprint) -> None:
    # Whoever chose the folder should have known; results that nobody can bring back are worth a second look.
    if folder_owner(folder) not in (None, owner):
        raise OutputError("the output folder holds the results of another video", path=folder, hint="use -o")


def _unfinished(folder: Path, owner: Fingerprint) -> Path:
    """Where new results are made. The fingerprint in its name keeps the finished clips of two videos apart."""
    end = f".{owner.sha256[:16]}-{owner.size_bytes}"
    path = folder.parent / f"{PARTIAL_PREFIX}{folder.name}{end}"
    for other in folder.parent.glob(f"{PARTIAL_PREFIX}*"):
        # The video may have been called otherwise when its run was interrupted.
        if other.name.endswith(end) and other != path and not path.exists():
            other.rename(path)
    return path


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > _UNFINISHED_FOR_S


def _replace(folder: Path, partial: Path) -> None:
    old = read_manifest(folder)
    if old is None:
        with contextlib.suppress(FileNotFoundError):
            folder.rmdir()
        partial.rename(folder)
        (folder / NOTES_FILE).unlink(missing_ok=True)
        return
    new = read_manifest(partial) or {}
    kept = {*listed_files(new), MANIFEST_FILE}
    listed = [*listed_files(old), *listed_files(new)]
    edited = bool((new.get("timeline") or {}).get("edited"))
    if not edited and (has_edited_timeline(folder) or not isinstance(old.get("timeline"), dict)):
        keep_backup(folder)
    # A journal: if we are killed from here on, the folder is not taken as done, and the next run
    # still knows whose it is, every file that is ours, and whether the timeline is somebody's work.
    entries = [{"file": f} for f in dict.fromkeys(listed)]
    journal = {"replacing": True, "input": new.get("input"), "timeline": {"edited": edited}, "files": entries}
    write_json(folder / MANIFEST_FILE, journal)
    for file in listed_files(new):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (partial / file).replace(folder / file)
    for file in listed_files(old):
        if file not in kept:
            remove_file(folder, file)
    (partial / MANIFEST_FILE).replace(folder / MANIFEST_FILE)


def listed_files(manifest: dict[str, Any]) -> list[str]:
    """The files that `manifest` lists, without those that lie outside its folder."""
    entries = manifest.get("files")
    named = [e.get("file") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    # The manifest may have been edited: what is listed must lie in the folder itself.
    return [f for f in named if isinstance(f, str) and f and not Path(f).is_absolute() and ".." not in Path(f).parts]


def remove_file(folder: Path, file: str) -> None:
    """Remove `file` from `folder`, and the folders below `folder` that are empty then."""
    path = folder / file
    if folder.resolve() not in path.parent.resolve().joinpath(path.name).parents or path.is_dir():
        return
    path.unlink(missing_ok=True)
    parent = path.parent
    # A person's folder goes with its last file.
    while parent != folder and not any(parent.iterdir()):
        parent.rmdir()
        parent = parent.parent


def _remove_tree(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _timeline_digest(folder: Path) -> str | None:
    try:
        return hashlib.sha256((folder / TIMELINE_FILE).read_bytes()).hexdigest()
    except OSError:
        return None


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
