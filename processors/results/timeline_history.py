"""The timelines of a video before each edit, as numbered files in a hidden folder, so that edits can be undone.

The number of versions is bounded. A version is the whole earlier file, not a description of the edit.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from processors.results.timeline_file import TIMELINE_FILE
from utils.files import write_bytes

HISTORY_FOLDER = ".timeline-history"
VERSIONS_KEPT = 20
"""number of edits that can be undone; the timeline of an hour of video has about a megabyte"""

_VERSION = re.compile(r"(\d{4,9})\.json", re.ASCII)


@dataclass(frozen=True, slots=True)
class TimelineVersion:
    """An earlier timeline.json, byte for byte."""

    path: Path
    data: bytes


def keep_version(folder: Path) -> None:
    """Keep the timeline of the output folder `folder`, if it has one; remove the oldest versions beyond the limit.

    Raises:
        OSError: it cannot be written.
    """
    try:
        data = (folder / TIMELINE_FILE).read_bytes()
    except FileNotFoundError:
        return
    versions = _versions(folder)
    number = max(versions, default=0) + 1
    write_bytes(folder / HISTORY_FOLDER / f"{number:04d}.json", data)
    for old in sorted(versions)[: max(len(versions) + 1 - VERSIONS_KEPT, 0)]:
        versions[old].unlink(missing_ok=True)


def last_version(folder: Path) -> TimelineVersion | None:
    """The newest version that differs from the timeline in `folder`; None if there is none."""
    current = b""
    with contextlib.suppress(OSError):
        current = (folder / TIMELINE_FILE).read_bytes()
    for _, path in sorted(_versions(folder).items(), reverse=True):
        data = path.read_bytes()
        # An interrupted edit, or one that changed nothing, leaves a version equal to the present timeline.
        if data != current:
            return TimelineVersion(path, data)
    return None


def forget_version(version: TimelineVersion) -> None:
    """Remove `version`, and those after it, which are equal to the timeline that it replaced.

    Raises:
        OSError: one cannot be removed.
    """
    folder = version.path.parent
    newest = [path for _, path in sorted(_versions(folder.parent).items(), reverse=True)]
    for path in newest[: newest.index(version.path) + 1]:
        path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def history_files(folder: Path) -> list[Path]:
    """All versions in `folder`, the oldest first."""
    return [path for _, path in sorted(_versions(folder).items())]


def _versions(folder: Path) -> dict[int, Path]:
    history = folder / HISTORY_FOLDER
    if history.is_symlink() or not history.is_dir():
        return {}
    found = ((path, _VERSION.fullmatch(path.name)) for path in history.iterdir())
    return {int(match[1]): path for path, match in found if match and path.is_file() and not path.is_symlink()}
