"""Which output folder each video of a run gets.

A folder belongs to the video whose fingerprint its manifest names, whatever that video is called now and wherever
it lies. A video without a folder gets the name made from its file name, or the next free one ("interview_2") where
that belongs to another video: results of another video are never written over. Within a run the names do not depend
on the order of the arguments, nor on the order in which the inputs are looked at.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from core.errors import ascii_safe
from processors.batch.batch_inputs import RESERVED_NAMES, BatchInput, fold, input_order
from processors.results.manifest_outline import ManifestState, folder_owner, read_outline
from utils.fingerprints import Fingerprint, fingerprint

logger = logging.getLogger(__name__)


class FolderClaims:
    """The folders of one run, to be used under the lock of the output folder; any thread may ask.

    Attributes:
        output_dir: the folder that they lie in.
    """

    def __init__(self, output_dir: Path, inputs: Sequence[BatchInput]) -> None:
        """inputs: all those of the run. A run that is taken up again has to pass the same ones, done or not."""
        self.output_dir = output_dir
        self._inputs = sorted((source for source in inputs if not source.problem), key=lambda s: input_order(s.path))
        self._wanted = {fold(source.name) for source in inputs}
        self._lock = threading.RLock()
        self._sizes: dict[str, int] | None = None
        self._marks: dict[str, Fingerprint | None] = {}
        self._names: dict[Fingerprint, str] = {}
        self._on_disk: tuple[str, ...] | None = None
        self._owned: dict[Fingerprint, str] | None = None

    def folder_for(self, source: BatchInput, mark: Fingerprint) -> str:
        """Name of the folder below `output_dir` for the results of `source`, whose fingerprint is `mark`.

        Always the same answer for the same video. Nothing is written.
        """
        with self._lock:
            if mark not in self._names:
                self._names[mark] = self._choose(self.same_video(source, mark) or source, mark)
            return self._names[mark]

    def same_video(self, source: BatchInput, mark: Fingerprint) -> BatchInput | None:
        """The input of this run that is the same video as `source` and is processed in its place, if there is one.

        Of several copies it is the one with the shortest name, and of those the first by path. Only files of equal
        size are compared, so an ordinary run reads nothing for this.
        """
        with self._lock:
            self._marks[source.name] = mark
            if self._sizes is None:
                self._sizes = {other.name: _size(other.path) for other in self._inputs}
            for other in self._inputs:
                if other.name == source.name:
                    return None
                if self._sizes[other.name] == mark.size_bytes and self._mark_of(other) == mark:
                    return other
            return None

    def _mark_of(self, source: BatchInput) -> Fingerprint | None:
        if source.name not in self._marks:
            try:
                self._marks[source.name] = fingerprint(source.path)
            except OSError:
                self._marks[source.name] = None
        return self._marks[source.name]

    def _choose(self, source: BatchInput, mark: Fingerprint) -> str:
        name = self._name_on_disk(source.name, mark)
        if name is not None:
            if name != source.name:
                logger.info("%s: the results of this video are in %s", source.label, name)
            return name
        name, number = source.name, 1
        while not self._is_free(name, source.name):
            number += 1
            name = f"{source.name}_{number}"
        if number > 1:
            self._tell_why(source, name)
        return name

    def _name_on_disk(self, wanted: str, mark: Fingerprint) -> str | None:
        # Most videos are found here, without reading the manifests of all others.
        if folder_owner(self.output_dir / wanted) == mark:
            return wanted
        if self._owned is None:
            self._owned = {}
            for name in self._entries():
                owner = folder_owner(self.output_dir / name)
                if owner is not None:
                    self._owned.setdefault(owner, name)
        return self._owned.get(mark)

    def _entries(self) -> tuple[str, ...]:
        """What lies in the output folder and is not hidden, sorted."""
        if self._on_disk is None:
            try:
                names = sorted(path.name for path in self.output_dir.iterdir())
            except OSError:
                names = []
            self._on_disk = tuple(name for name in names if not name.startswith("."))
        return self._on_disk

    def _in_the_way(self, name: str) -> list[str]:
        """The entries that some file systems do not tell from `name`."""
        return [entry for entry in self._entries() if fold(entry) == fold(name)]

    def _is_free(self, name: str, wanted: str) -> bool:
        folded = fold(name)
        if folded in RESERVED_NAMES or folded in {fold(other) for other in self._names.values()}:
            return False
        if name != wanted and folded in self._wanted:
            return False
        there = self._in_the_way(name)
        if not there or (there == [name] and _is_empty_folder(self.output_dir / name)):
            return True
        # What is no result at all is somebody else's: whoever writes there is refused, and says so.
        return there == [name] == [wanted] and read_outline(self.output_dir / name).state is ManifestState.MISSING

    def _tell_why(self, source: BatchInput, name: str) -> None:
        there = next(iter(self._in_the_way(source.name)), None)
        if there is None:
            return
        if folder_owner(self.output_dir / there) is None:
            text = "%s: whose results %s holds cannot be told, its manifest.json is damaged; these go to %s"
        else:
            text = "%s: %s holds the results of another video, or of this one before it was changed; these go to %s"
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
