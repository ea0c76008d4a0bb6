"""Decides which output folder each video of a run gets.

A folder belongs to the video whose fingerprint its manifest names, whatever the name or location of that video is now.
A video without a folder gets the name made from its file name, or the next free one ("interview_2") if that folder
belongs to another video: results of another video are never overwritten. Within a run the names depend neither on the
order of the arguments nor on the order in which inputs are examined.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from core.errors import OutputError
from processors.batch.batch_inputs import RESERVED_NAMES, BatchInput, input_order
from processors.results.manifest_outline import ManifestState, folder_owner, read_outline
from processors.results.result_tree import folder_name, result_folders
from utils.console.printable_text import ascii_safe
from utils.files import fold
from utils.fingerprints import Fingerprint, fingerprint

logger = logging.getLogger(__name__)


class FolderClaims:
    """The folders of one run. Thread-safe. Other calls may write folders meanwhile; see `look_again`.

    Attributes:
        output_dir: the folder that contains them.
    """

    def __init__(self, output_dir: Path, inputs: Sequence[BatchInput]) -> None:
        """inputs: all inputs of the run. A run that continues after a crash must pass the same, finished or not."""
        self.output_dir = output_dir
        self._inputs = sorted((source for source in inputs if not source.problem), key=lambda s: input_order(s.path))
        self._wanted = {fold(source.name) for source in inputs}
        self._lock = threading.RLock()
        self._sizes: dict[str, int] | None = None
        self._fingerprints: dict[str, Fingerprint | None] = {}
        self._names: dict[Fingerprint, str] = {}
        self._on_disk: dict[str, tuple[str, ...]] = {}
        self._owned: dict[Fingerprint, str] | None = None

    def folder_for(self, source: BatchInput, fingerprint: Fingerprint) -> str:
        """Name of the folder below `output_dir` for the results of `source`, which has this fingerprint.

        The answer for a video never changes during a run, unless `look_again` is called. Nothing is written.
        """
        with self._lock:
            if fingerprint not in self._names:
                original = self.same_video(source, fingerprint) or source
                self._names[fingerprint] = self._choose(original, fingerprint)
            return self._names[fingerprint]

    def look_again(self, source: BatchInput) -> None:
        """Forget the folder of `source` and what is on the disk: another call has written there since."""
        with self._lock:
            self._on_disk.clear()
            self._owned = None
            video = self._fingerprints.get(source.name)
            if video is not None:
                self._names.pop(video, None)

    def same_video(self, source: BatchInput, fingerprint: Fingerprint) -> BatchInput | None:
        """The input of this run that is a copy of `source` and is processed instead, if there is one.

        Of several copies it is the one with the shortest name, and among those the first by path. Only files of equal
        size are compared, so an ordinary run reads nothing for this. Empty files are no copies of each other.
        """
        with self._lock:
            self._fingerprints[source.name] = fingerprint
            if not fingerprint.size_bytes:
                return None
            if self._sizes is None:
                self._sizes = {other.name: _size(other.path) for other in self._inputs}
            for other in self._inputs:
                if other.name == source.name:
                    return None
                if self._sizes[other.name] == fingerprint.size_bytes and self._fingerprint_of(other) == fingerprint:
                    return other
            return None

    def _fingerprint_of(self, source: BatchInput) -> Fingerprint | None:
        if source.name not in self._fingerprints:
            try:
                self._fingerprints[source.name] = fingerprint(source.path)
            except OSError:
                self._fingerprints[source.name] = None
        return self._fingerprints[source.name]

    def _choose(self, source: BatchInput, fingerprint: Fingerprint) -> str:
        name = self._name_on_disk(source.name, fingerprint)
        if name is not None:
            if name != source.name:
                logger.info("%s: the results of this video are in %s", source.label, name)
            return name
        self._require_no_results_above(source)
        name, number = source.name, 1
        while not self._is_free(name, source.name):
            number += 1
            name = f"{source.name}_{number}"
        if number > 1:
            self._warn_of_other_name(source, name)
        return name

    def _require_no_results_above(self, source: BatchInput) -> None:
        """Refuse to write results into those of another video, which had the name that a folder has now."""
        for above in list(PurePosixPath(source.name).parents)[:-1]:
            if read_outline(self.output_dir / above).state is not ManifestState.MISSING:
                message = f"its folder {ascii_safe(str(above))} in the output folder holds the results of a video"
                raise OutputError(message, path=source.path, hint="use -o")

    def _name_on_disk(self, wanted: str, fingerprint: Fingerprint) -> str | None:
        # This finds most videos without reading all other manifests.
        if folder_owner(self.output_dir / wanted) == fingerprint:
            return wanted
        if self._owned is None:
            self._owned = {}
            for folder in result_folders(self.output_dir):
                owner = folder_owner(folder)
                if owner is not None:
                    self._owned.setdefault(owner, folder_name(folder, self.output_dir))
        return self._owned.get(fingerprint)

    def _entries(self, holder: str) -> tuple[str, ...]:
        """Everything that is not hidden in the folder `holder` below the output folder, sorted; "": in that itself."""
        if holder not in self._on_disk:
            try:
                names = sorted(path.name for path in (self.output_dir / holder).iterdir())
            except OSError:
                names = []
            prefix = f"{holder}/" if holder else ""
            self._on_disk[holder] = tuple(prefix + name for name in names if not name.startswith("."))
        return self._on_disk[holder]

    def _equivalent_entries(self, name: str) -> list[str]:
        """The entries whose names some file systems treat as equal to `name`."""
        return [entry for entry in self._entries(name.rpartition("/")[0]) if fold(entry) == fold(name)]

    def _is_free(self, name: str, wanted: str) -> bool:
        folded = fold(name)
        if folded in RESERVED_NAMES or folded in {fold(other) for other in self._names.values()}:
            return False
        if name != wanted and folded in self._wanted:
            return False
        there = self._equivalent_entries(name)
        if not there or (there == [name] and _is_empty_folder(self.output_dir / name)):
            return True
        # A folder without a manifest is not ours. The run refuses it with a hint instead of working around it.
        return there == [name] == [wanted] and read_outline(self.output_dir / name).state is ManifestState.MISSING

    def _warn_of_other_name(self, source: BatchInput, name: str) -> None:
        there = next(iter(self._equivalent_entries(source.name)), None)
        if there is None:
            return
        if folder_owner(self.output_dir / there) is None:
            text = "%s: the manifest.json in %s is damaged, so its results may belong to another video; writing to %s"
        else:
            text = "%s: %s holds the results of another video, or of this one before it changed; writing to %s"
        logger.warning(text, source.label, ascii_safe(there), name)


def _is_empty_folder(path: Path) -> bool:
    try:
        return path.is_dir() and not any(path.iterdir())
    except OSError:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
