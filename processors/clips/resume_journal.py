"""The clips that an unfinished render has finished, noted beside them, so that the next run need not make them again.

A line of JSON is appended for each clip when it is complete. A clip is taken over only where everything that
decides its bytes is as it was then (the digest) and its file has the bytes that it had then (size and sha256).
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.types import Clip, CropPath
from utils.files import PARTIAL_PREFIX

logger = logging.getLogger(__name__)

NOTES_FILE = f"{PARTIAL_PREFIX}clips.jsonl"

_BLOCK_BYTES = 1 << 20


class FinishedClip(msgspec.Struct, frozen=True):
    """A finished clip and what its making had to say.

    repeated_pictures, damaged_sound_packets: as in `RenderResult`.
    """

    clip: Clip
    repeated_pictures: int = 0
    damaged_sound_packets: int = 0


class _Note(msgspec.Struct, frozen=True):
    digest: str
    bytes: int
    sha256: str
    finished: FinishedClip


class FinishedClips:
    """The clips in a folder that are finished. Any thread may `add` one; the rest is for one thread."""

    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        """Read the notes in `folder` and check every file they tell of; whatever else lies there is removed.

        facts: what all clips depend on (analysis, encoder's settings, version), as JSON can hold it.

        Raises:
            OSError: `folder` cannot be read or cleared.
        """
        self._folder = folder
        self._facts = json.dumps(facts, sort_keys=True)
        self._lock = threading.Lock()
        self._known = {note.finished.clip.file: note for note in _notes(folder / NOTES_FILE)}
        for file in [file for file, note in self._known.items() if not _is_as_noted(folder, note)]:
            logger.debug("%s: %s is not as it was when it was finished", folder.name, file)
            del self._known[file]
        _remove_all_but({folder / file for file in (*self._known, NOTES_FILE)}, folder)

    def find(self, path: CropPath, file: str, encoder: str) -> FinishedClip | None:
        """The finished clip that `encoder` would make of `path` under the name `file`, relative to the folder."""
        note = self._known.get(file)
        return note.finished if note and note.digest == self._digest(path, file, encoder) else None

    def add(self, path: CropPath, encoder: str, finished: FinishedClip) -> None:
        """Note a clip whose file has just been completed.

        Raises:
            OSError: the note cannot be written.
        """
        file = finished.clip.file
        size, sha256 = _size_and_sum(self._folder / file)
        note = _Note(self._digest(path, file, encoder), size, sha256, finished)
        with self._lock, (self._folder / NOTES_FILE).open("ab") as notes:
            notes.write(msgspec.json.encode(note) + b"\n")
            self._known[file] = note

    def keep_only(self, files: Iterable[str]) -> None:
        """Remove what is not among `files`, relative to the folder: clips of another timeline or other settings.

        Raises:
            OSError: a file cannot be removed.
        """
        _remove_all_but({self._folder / file for file in (*files, NOTES_FILE)}, self._folder)

    def _digest(self, path: CropPath, file: str, encoder: str) -> str:
        segment = path.segment
        digest = hashlib.sha256(self._facts.encode())
        facts = [file, encoder, segment.person, segment.shot, segment.start, segment.end, path.width, path.height]
        digest.update(json.dumps(facts).encode())
        digest.update(path.source_frames.tobytes())
        digest.update(path.windows.tobytes())
        return digest.hexdigest()


def has_finished_clips(folder: Path) -> bool:
    """Whether an unfinished render in `folder` has left clips that the next run may take over."""
    return not folder.is_symlink() and next(_notes(folder / NOTES_FILE), None) is not None


def _notes(path: Path) -> Iterator[_Note]:
    """The notes that can be read; the last line may have been cut off by whatever ended the run."""
    if path.is_symlink() or not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                yield msgspec.json.decode(line, type=_Note)
            except msgspec.MsgspecError as error:
                logger.debug("%s: %s", path, error)


def _is_as_noted(folder: Path, note: _Note) -> bool:
    file = Path(note.finished.clip.file)
    if file.is_absolute() or ".." in file.parts:
        return False
    path = folder / file
    # A link among the parts would lead somewhere else.
    if path.resolve() != folder.resolve() / file or not path.is_file():
        return False
    return _size_and_sum(path) == (note.bytes, note.sha256)


def _size_and_sum(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def _remove_all_but(kept: set[Path], folder: Path) -> None:
    """Remove every file below `folder` that is not `kept`, and the folders that are empty then."""
    holders = {parent for path in kept for parent in path.parents}
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            if path in holders:
                _remove_all_but(kept, path)
            else:
                shutil.rmtree(path)
        elif path not in kept:
            path.unlink()
