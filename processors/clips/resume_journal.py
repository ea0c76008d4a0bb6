"""A journal of the clips that a render has finished, so that the next run can reuse them if this one is interrupted.

A line of JSON is appended for each clip when it is complete. A clip is reused only if everything that determines its
bytes is the same (the recipe) and its file is unchanged (size and sha256). Clips of finished results with the recipe of
a wanted one are reused as well, whichever person they belonged to and whatever they were called.

Several processes may make clips in one folder at the same time. Each has a journal of its own, because lines that two
machines append to one file may be mixed up; the process that completes the folder joins the journals.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.types import Clip
from utils.files import PARTIAL_PREFIX, link_or_copy, write_bytes

if TYPE_CHECKING:
    from processors.clips.clip_spec import ClipSpec

logger = logging.getLogger(__name__)

NOTES_FILE = f"{PARTIAL_PREFIX}clips.jsonl"

_SHARED_NOTES = f"{PARTIAL_PREFIX}clips-{{}}.jsonl"
_JOURNALS = f"{PARTIAL_PREFIX}clips*.jsonl"
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class EarlierClips:
    """Clips of finished results, by recipe. folder: what their files are relative to."""

    folder: Path
    by_recipe: Mapping[str, Clip]


class _Note(msgspec.Struct, frozen=True):
    bytes: int
    sha256: str
    clip: Clip


class FinishedClips:
    """The finished clips in a folder. Any thread may `add` one; the other methods are for one thread."""

    def __init__(
        self, folder: Path, analysis_key: str, earlier: EarlierClips | None = None, *, is_shared: bool = False
    ) -> None:
        """Read the journals in `folder`, check every file in them, join them and remove all other files.

        analysis_key: of the analysis that all clips depend on. earlier: clips that may be taken over. is_shared: other
            processes make clips in `folder` at the same time; then nothing is joined or removed.

        Raises:
            OSError: `folder` cannot be read or cleared.
        """
        self.analysis_key = analysis_key
        self._folder = folder
        self._earlier = earlier
        self._lock = threading.Lock()
        self._journal = folder / (_SHARED_NOTES.format(secrets.token_hex(4)) if is_shared else NOTES_FILE)
        self._known = {note.clip.file: note for journal in _journals(folder) for note in _notes(journal)}
        for file in [file for file, note in self._known.items() if not _is_unchanged(folder, note)]:
            logger.debug("%s: %s has changed since it was finished", folder.name, file)
            del self._known[file]
        if is_shared:
            return
        if _journals(folder) not in ([], [self._journal]):
            write_bytes(self._journal, b"".join(map(_line, self._known.values())))
        _remove_all_but({folder / file for file in (*self._known, NOTES_FILE)}, folder)

    def find(self, spec: ClipSpec) -> Clip | None:
        """The clip `spec`, if it is finished; one of earlier results is put into its place first.

        Raises:
            OSError: a file cannot be put into its place, or the journal cannot be written.
        """
        if not spec.recipe:
            return None
        note = self._known.get(spec.file)
        if note is not None and note.clip.recipe == spec.recipe:
            return note.clip
        earlier = None if self._earlier is None else self._earlier.by_recipe.get(spec.recipe)
        return None if earlier is None else self._take_over(earlier, spec)

    def find_all(self, specs: Iterable[ClipSpec]) -> dict[str, Clip]:
        """Those of the clips that are finished, by file.

        Raises:
            OSError: as in `find`.
        """
        found = {spec.file: self.find(spec) for spec in specs}
        return {file: clip for file, clip in found.items() if clip is not None}

    def add(self, clip: Clip) -> None:
        """Note a clip whose file has just been completed.

        Raises:
            OSError: the journal cannot be written.
        """
        note = _Note(*_size_and_sha256(self._folder / clip.file), clip)
        with self._lock, self._journal.open("ab") as notes:
            notes.write(_line(note))
            self._known[clip.file] = note

    def keep_only(self, files: Iterable[str]) -> None:
        """Remove all clips but `files`, relative to the folder: others belong to another timeline or other settings.

        Raises:
            OSError: a file cannot be removed.
        """
        _remove_all_but({self._folder / file for file in (*files, NOTES_FILE)}, self._folder)

    def _take_over(self, earlier: Clip, spec: ClipSpec) -> Clip:
        assert self._earlier is not None
        link_or_copy(self._earlier.folder / earlier.file, self._folder / spec.file)
        clip = replace(earlier, person=spec.path.segment.person, file=spec.file)
        self.add(clip)
        return clip


def has_finished_clips(folder: Path) -> bool:
    """Whether an interrupted render in `folder` has left clips that the next run may reuse."""
    return not folder.is_symlink() and any(next(_notes(path), None) is not None for path in _journals(folder))


def last_clip_at(folder: Path) -> float:
    """When the last clip of `folder`, which has finished clips, was finished; seconds since 1970."""
    return max(path.stat().st_mtime for path in _journals(folder))


def _journals(folder: Path) -> list[Path]:
    return sorted(folder.glob(_JOURNALS))


def _line(note: _Note) -> bytes:
    return msgspec.json.encode(note) + b"\n"


def _notes(path: Path) -> Iterator[_Note]:
    """The notes that can be read; the last line may be incomplete."""
    if path.is_symlink() or not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                yield msgspec.json.decode(line, type=_Note)
            except msgspec.MsgspecError as error:
                logger.debug("%s: %s", path, error)


def _is_unchanged(folder: Path, note: _Note) -> bool:
    file = Path(note.clip.file)
    if file.is_absolute() or ".." in file.parts:
        return False
    path = folder / file
    # A symbolic link in the path could lead out of the folder.
    if path.resolve() != folder.resolve() / file or not path.is_file():
        return False
    return _size_and_sha256(path) == (note.bytes, note.sha256)


def _size_and_sha256(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def _remove_all_but(kept: set[Path], folder: Path) -> None:
    """Remove every file below `folder` that is not in `kept`, and folders that hold none of these."""
    holders = {parent for path in kept for parent in path.parents}
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            if path in holders:
                _remove_all_but(kept, path)
            else:
                shutil.rmtree(path)
        elif path not in kept:
            path.unlink()
