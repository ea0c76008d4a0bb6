"""Where a video's new results are made before they replace the old ones: beside its folder, or on a local disk.

The name of a staging folder contains the video's folder, its fingerprint and random digits, so that a run that was
suspended and has lost its lease never writes into the staging folder of the run that processes the video now.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import time
from pathlib import Path

from config import PROGRAM
from core.errors import OutputError
from processors.clips.resume_journal import has_finished_clips, last_clip_at
from utils.console.printable_text import ascii_safe
from utils.files import PARTIAL_PREFIX
from utils.fingerprints import Fingerprint

_RESUMABLE_FOR_S = 7 * 86400
_NAME = re.compile(
    rf"{re.escape(PARTIAL_PREFIX)}(?P<folder>.+)\.(?P<video>[0-9a-f]+-[0-9]+)(\.[0-9a-f]{{8}})?", re.DOTALL
)
_DIGEST_DIGITS = 16


def make_staging(folder: Path, owner: Fingerprint, scratch: Path | None, *, resume: bool) -> Path:
    """A staging folder that no other run uses; with `resume`, it holds the finished clips of a run that has ended.

    Call this with the lease of the video's `folder` held. scratch: see `staging_folders`.

    Raises:
        OutputError: `scratch` cannot be written.
        OSError: it cannot be made, or another one cannot be removed.
    """
    place = _place(folder, scratch)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if scratch is None:
            raise
        message = ascii_safe(f"the folder {scratch} cannot be written: {error.strerror}")
        raise OutputError(message, path=folder, hint="name another one with --scratch") from error
    path = place / f"{PARTIAL_PREFIX}{folder.name}.{_video_mark(owner)}.{secrets.token_hex(4)}"
    # The run that made another one has ended, or has lost the lease and goes on writing: it must not find its folder.
    for other in staging_folders(folder, owner, scratch):
        if resume and not path.exists() and has_finished_clips(other):
            _move(other, path)
        else:
            remove_tree(other)
    path.mkdir(exist_ok=True)
    return path


def staging_folders(folder: Path, owner: Fingerprint, scratch: Path | None) -> list[Path]:
    """The staging folders of the video `owner` on this machine, under any name: the video may have been renamed.

    scratch: folder on a local disk in which staging folders are made; None: they are made beside `folder`.
    """
    places = dict.fromkeys((_place(folder, scratch), folder.parent))
    found = [path for place in places for path in sorted(place.glob(f"{PARTIAL_PREFIX}*"))]
    marks = ((path, _NAME.fullmatch(path.name)) for path in found)
    return [path for path, match in marks if match is not None and match["video"] == _video_mark(owner)]


def staged_folder(staging: Path) -> Path | None:
    """The video's folder beside which `staging` lies; None if that is not a staging folder."""
    match = _NAME.fullmatch(staging.name)
    return None if match is None else staging.parent / match["folder"]


def move_beside(staging: Path, folder: Path) -> Path:
    """Move `staging` beside the video's `folder`, if it does not lie there; returns its new place.

    Raises:
        OSError: there is no room; nothing is left there.
    """
    beside = folder.parent / staging.name
    if beside != staging:
        beside.parent.mkdir(parents=True, exist_ok=True)
        try:
            _move(staging, beside)
        except BaseException:
            remove_tree(beside)
            raise
    return beside


def is_resumable(staging: Path) -> bool:
    """Whether `staging` holds finished clips that are young enough to be waited for."""
    return has_finished_clips(staging) and time.time() - last_clip_at(staging) <= _RESUMABLE_FOR_S


def remove_old_scratch(scratch: Path) -> None:
    """Remove what killed runs left on the local disk a week ago.

    Raises:
        OSError: it cannot be removed.
    """
    for path in scratch.glob(f"{PROGRAM}-*/{PARTIAL_PREFIX}*"):
        if time.time() - path.stat().st_mtime > _RESUMABLE_FOR_S and not is_resumable(path):
            remove_tree(path)


def remove_tree(path: Path) -> None:
    """Remove a file, a link or a folder with its contents; does nothing if it does not exist."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _place(folder: Path, scratch: Path | None) -> Path:
    if scratch is None:
        return folder.parent
    # Videos of several output folders may be made on one disk at the same time.
    digest = hashlib.sha256(str(folder.parent.absolute()).encode("utf-8", "surrogateescape")).hexdigest()
    return scratch / f"{PROGRAM}-{digest[:_DIGEST_DIGITS]}"


def _video_mark(owner: Fingerprint) -> str:
    # The fingerprint keeps the finished clips of two videos with the same name apart.
    return f"{owner.sha256[:_DIGEST_DIGITS]}-{owner.size_bytes}"


def _move(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError:
        # The folder is on another file system.
        shutil.copytree(source, target)
        shutil.rmtree(source)
