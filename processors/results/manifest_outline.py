"""The part of a manifest that all versions share: which video the folder belongs to, and which files belong to it.

Two kinds of file are called manifest.json. A *manifest* describes complete results. A *journal* takes its place while
old results are replaced by new ones: if the run is killed in between, the folder is recognised as unfinished, and the
journal still names the video, the files and whether somebody edited the timeline.

Everything else in the file is skipped while parsing, so the outline of a manifest of tens of megabytes is cheap.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from processors.results.manifest import (
    MANIFEST_FILE,
    Manifest,
    ManifestInput,
    ManifestTimeline,
    decode,
    lies_inside,
    read_bytes,
)
from processors.results.manifest_people import ManifestPart
from utils.files import write_json
from utils.fingerprints import Fingerprint


class ManifestState(enum.Enum):
    """What lies under the name manifest.json."""

    MISSING = "missing"
    DAMAGED = "damaged"
    """it cannot be read, or another program wrote it"""
    REPLACING = "replacing"
    """a journal: the exchange of old results for new ones was not completed"""
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class ManifestOutline:
    """The outline of a manifest or a journal.

    input, timeline: None if the file does not say. analysis: key of the stored analysis, "" if unknown.
    """

    state: ManifestState
    input: ManifestInput | None = None
    timeline: ManifestTimeline | None = None
    analysis: str = ""
    _files: Sequence[msgspec.Raw] = field(default=(), repr=False)

    @property
    def is_ours(self) -> bool:
        """Whether this program wrote the file."""
        return self.state in (ManifestState.COMPLETE, ManifestState.REPLACING)

    @property
    def owner(self) -> Fingerprint | None:
        """Fingerprint of the video that the folder belongs to; None if the file does not name one."""
        return None if self.input is None else self.input.fingerprint

    @property
    def listed_files(self) -> dict[str, int | None]:
        """Size in bytes of each listed file, in the order of the list; files outside the folder are left out.

        None: the size is not listed, as in a journal.
        """
        entries = [_listed_file(raw) for raw in self._files]
        # The manifest may have been edited, and listed files may be removed: never anything outside the folder.
        return {entry.file: entry.bytes for entry in entries if entry is not None and lies_inside(entry.file)}


def read_outline(folder: Path) -> ManifestOutline:
    """The outline of the manifest or journal in `folder`; never raises for what lies there."""
    data = read_bytes(folder)
    if data is None:
        return ManifestOutline(ManifestState.MISSING)
    found = decode(data, OutlineFields, folder) or OutlineFields()
    return ManifestOutline(_state(found), found.input, found.timeline, found.analysis, found.files or ())


def folder_owner(folder: Path) -> Fingerprint | None:
    """Fingerprint of the video whose results `folder` holds; None if unknown."""
    return read_outline(folder).owner


def write_journal(folder: Path, new: Manifest, files: Iterable[str]) -> None:
    """Replace the manifest in `folder` by a journal, atomically.

    new: manifest of the results that are about to replace the old ones. files: all old and new ones, relative to
    `folder`.

    Raises:
        OSError: it cannot be written.
    """
    journal = _Journal(
        input=new.input,
        timeline=_JournalTimeline(edited=new.timeline.edited),
        files=tuple(_JournalFile(file=file) for file in dict.fromkeys(files)),
    )
    write_json(folder / MANIFEST_FILE, msgspec.to_builtins(journal))


class OutlineFields(ManifestPart, frozen=True, kw_only=True):
    """What is read of a manifest, whose other fields need not be right; see `ManifestPart`."""

    input: ManifestInput | None = None
    analysis: str = ""
    timeline: ManifestTimeline | None = None
    files: list[msgspec.Raw] | None = None
    replacing: bool = False


class _ListedFile(ManifestPart, frozen=True, kw_only=True):
    file: str
    bytes: int | None = None


class _JournalTimeline(ManifestPart, frozen=True, kw_only=True):
    edited: bool


class _JournalFile(ManifestPart, frozen=True, kw_only=True):
    file: str


class _Journal(ManifestPart, frozen=True, kw_only=True):
    replacing: Literal[True] = True
    input: ManifestInput
    timeline: _JournalTimeline
    files: tuple[_JournalFile, ...]


def _state(found: OutlineFields) -> ManifestState:
    if found.files is not None and found.replacing:
        return ManifestState.REPLACING
    if found.files is not None and found.input is not None:
        return ManifestState.COMPLETE
    return ManifestState.DAMAGED


def _listed_file(raw: msgspec.Raw) -> _ListedFile | None:
    try:
        return msgspec.json.decode(raw, type=_ListedFile)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
