"""What of a video's old results the new ones may take over as it is, so that an extra costs only itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import Settings
from core.types import Clip
from processors.results.output_folder import read_manifest, same_work
from utils.fingerprints import Fingerprint


@dataclass(frozen=True, slots=True)
class ReusableResults:
    """Clips, and the extras made of them, that are as a run with these settings would make them.

    extras: files by name. models, warnings: as the manifest has them.
    """

    clips: tuple[Clip, ...]
    extras: Mapping[str, tuple[str, ...]]
    models: Mapping[str, Any]
    warnings: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Everything that is taken over, relative to the video's folder."""
        return tuple(clip.file for clip in self.clips) + tuple(file for files in self.extras.values() for file in files)


def find_reusable(folder: Path, source: Fingerprint, settings: Settings, analysis_key: str) -> ReusableResults | None:
    """What is there already of a run on the same input and analysis with the same settings; None where nothing is.

    All clips must be there with the size they had. An extra that lacks a file is not kept.
    """
    manifest = read_manifest(folder)
    if not manifest or not same_work(manifest, folder, source, settings):
        return None
    try:
        if manifest["analysis"] != analysis_key:
            return None
        sizes = {entry["file"]: entry["bytes"] for entry in manifest["files"]}
        clips = tuple(Clip(**{key: value for key, value in c.items() if key != "bytes"}) for c in manifest["clips"])
        if not _all_there(folder, (clip.file for clip in clips), sizes):
            return None
        extras = {name: tuple(files) for name, files in manifest["extras"].items()}
        extras = {name: files for name, files in extras.items() if _all_there(folder, files, sizes)}
        return ReusableResults(clips, extras, dict(manifest["models"]), tuple(manifest["warnings"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def link_files(files: Iterable[str], source: Path, target: Path) -> None:
    """Have `files` of the folder `source` in the folder `target` too, without copying where the disk can do that.

    Raises:
        OSError: that is not possible.
    """
    for file in files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source / file, target / file)
        except OSError:
            shutil.copyfile(source / file, target / file)


def _all_there(folder: Path, files: Iterable[str], sizes: Mapping[str, int]) -> bool:
    return all(_lies_in(file) and _size(folder / file) == sizes[file] for file in files)


def _lies_in(file: str) -> bool:
    """Whether `file`, which somebody may have edited, names something in the folder itself."""
    path = Path(file)
    return not path.is_absolute() and ".." not in path.parts


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() and not path.is_symlink() else None
    except OSError:
        return None
