"""A journal of the clips that an interrupted render has finished, so that the next run can reuse them.

A line of JSON is appended for each clip when it is complete. A clip is reused only if everything that determines its
bytes is the same (the digest) and its file is unchanged (size and sha256).
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.types import Clip, CropPath
from processors.clips.clip_spec import ClipSpec
from processors.clips.frame_effects import FrameEffect
from utils.files import PARTIAL_PREFIX

logger = logging.getLogger(__name__)

NOTES_FILE = f"{PARTIAL_PREFIX}clips.jsonl"

_BLOCK_BYTES = 1 << 20


class FinishedClip(msgspec.Struct, frozen=True):
    """A finished clip.

    repeated_pictures: frames that could not be decoded this time and repeat the one before. damaged_sound_packets:
    audio packets that became silence. The names are part of the file's format.
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
    """The finished clips in a folder. Any thread may `add` one; the other methods are for one thread."""

    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        """Read the journal in `folder`, check every file in it and remove all other files.

        facts: what all clips depend on (analysis, settings of the encoder, version), as JSON can hold it.

        Raises:
            OSError: `folder` cannot be read or cleared.
        """
        self._folder = folder
        self._facts = json.dumps(facts, sort_keys=True)
        self._lock = threading.Lock()
        self._known = {note.finished.clip.file: note for note in _notes(folder / NOTES_FILE)}
        for file in [file for file, note in self._known.items() if not _is_unchanged(folder, note)]:
            logger.debug("%s: %s has changed since it was finished", folder.name, file)
            del self._known[file]
        _remove_all_but({folder / file for file in (*self._known, NOTES_FILE)}, folder)

    def find(self, path: CropPath, file: str, encoder: str, effects: Sequence[FrameEffect] = ()) -> FinishedClip | None:
        """The clip that these would make, if it is finished. file: its name, relative to the folder."""
        note = self._known.get(file)
        return note.finished if note and note.digest == self._digest(path, file, encoder, effects) else None

    def find_all(self, specs: Iterable[ClipSpec]) -> dict[str, FinishedClip]:
        """Those of the clips that are finished, by file."""
        found = {spec.file: self.find(spec.path, spec.file, spec.encoder, spec.effects) for spec in specs}
        return {file: clip for file, clip in found.items() if clip is not None}

    def add(self, path: CropPath, encoder: str, finished: FinishedClip, effects: Sequence[FrameEffect] = ()) -> None:
        """Note a clip whose file has just been completed.

        Raises:
            OSError: the journal cannot be written.
        """
        file = finished.clip.file
        size, sha256 = _size_and_sha256(self._folder / file)
        note = _Note(self._digest(path, file, encoder, effects), size, sha256, finished)
        with self._lock, (self._folder / NOTES_FILE).open("ab") as notes:
            notes.write(msgspec.json.encode(note) + b"\n")
            self._known[file] = note

    def keep_only(self, files: Iterable[str]) -> None:
        """Remove all clips but `files`, relative to the folder: others belong to another timeline or other settings.

        Raises:
            OSError: a file cannot be removed.
        """
        _remove_all_but({self._folder / file for file in (*files, NOTES_FILE)}, self._folder)

    def _digest(self, path: CropPath, file: str, encoder: str, effects: Sequence[FrameEffect]) -> str:
        segment = path.segment
        digest = hashlib.sha256(self._facts.encode())
        facts = [file, encoder, segment.person, segment.shot, segment.start, segment.end, path.width, path.height]
        facts += [path.visible]
        facts += [dict(effect.facts) for effect in effects]
        digest.update(json.dumps(facts, sort_keys=True).encode())
        digest.update(path.source_frames.tobytes())
        digest.update(path.windows.tobytes())
        return digest.hexdigest()


def has_finished_clips(folder: Path) -> bool:
    """Whether an interrupted render in `folder` has left clips that the next run may reuse."""
    return not folder.is_symlink() and next(_notes(folder / NOTES_FILE), None) is not None


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
    file = Path(note.finished.clip.file)
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
