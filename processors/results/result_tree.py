"""The folders below an output folder: those of videos, and those that only hold other folders (`--recursive`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from processors.results.manifest import MANIFEST_FILE

MARK_FILE = ".face-clips.lock"
"""empty file that tells output folders from the folders inside them; until 2026-11-28 it was locked"""
REPORT_FILE = "report.html"
"""the page of a video, in its folder"""
FACE_FILE = "face.jpg"
"""the image of a person, in the folder of the clips"""


def result_folders(output_dir: Path) -> list[Path]:
    """The videos' folders below `output_dir`, by name, damaged ones included."""
    found = [path for holder in tree_folders(output_dir) for path in _children(holder) if _has_manifest(path)]
    return sorted(found, key=lambda path: folder_name(path, output_dir))


def tree_folders(output_dir: Path) -> Iterator[Path]:
    """`output_dir`, and the folders below it that may hold videos' folders: neither results nor other output folders.

    Hidden folders and symbolic links are left out.
    """
    waiting = [output_dir]
    while waiting:
        holder = waiting.pop()
        yield holder
        waiting += [path for path in _children(holder) if not _has_manifest(path) and not (path / MARK_FILE).exists()]


def may_hold_results(folder: Path) -> bool:
    """Whether `folder` is an output folder, or empty: others may be named by mistake, and are not to be written to."""
    if not folder.is_dir():
        return False
    visible = (path for path in folder.iterdir() if not path.name.startswith("."))
    return (folder / MARK_FILE).exists() or not any(visible) or bool(result_folders(folder))


def output_root(folder: Path) -> Path:
    """The output folder of a video's `folder`: the nearest above it with the mark file, else the one that holds it."""
    above = folder.absolute().parents
    return next((path for path in above if (path / MARK_FILE).exists()), above[0])


def folder_name(folder: Path, output_dir: Path | None = None) -> str:
    """The name of a video's folder, with those of the folders that hold it: "2024/may/interview".

    output_dir: by default `output_root`.
    """
    root = output_root(folder) if output_dir is None else output_dir
    return folder.absolute().relative_to(root.absolute()).as_posix()


def _children(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            found = [e.path for e in entries if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [Path(path) for path in sorted(found, reverse=True)]


def _has_manifest(folder: Path) -> bool:
    # Damaged ones count, so that the error says what is wrong with the folder instead of ignoring it.
    return os.path.lexists(folder / MANIFEST_FILE)
