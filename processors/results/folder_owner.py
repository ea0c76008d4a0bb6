"""Which video's results a folder holds, as its manifest says. Little is kept in memory, however long the manifest."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import msgspec

from utils.fingerprints import Fingerprint

logger = logging.getLogger(__name__)

MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class FolderState:
    """What a folder's manifest says of the folder.

    has_manifest: there is a manifest.json, readable or not.
    ours: this program wrote it, or began to: it may be the journal of a broken-off exchange.
    owner: fingerprint of the video; None where the manifest does not name one (no manifest, damaged, not ours).
    """

    has_manifest: bool = False
    ours: bool = False
    owner: Fingerprint | None = None


class _Input(msgspec.Struct):
    size_bytes: int
    sha256: str


class _Manifest(msgspec.Struct):
    # Everything else is skipped without being built: a manifest may have tens of megabytes.
    files: list[msgspec.Raw] | None = None
    input: _Input | None = None
    replacing: bool = False


def folder_state(folder: Path) -> FolderState:
    """The state of `folder`; never raises for what lies there."""
    try:
        data = (folder / MANIFEST_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return FolderState()
    except OSError as error:
        logger.debug("%s: %s", folder / MANIFEST_FILE, error)
        return FolderState(has_manifest=True)
    try:
        manifest = msgspec.json.decode(data, type=_Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        logger.debug("%s: %s", folder / MANIFEST_FILE, error)
        return FolderState(has_manifest=True)
    found = manifest.input
    owner = Fingerprint(found.size_bytes, found.sha256) if found is not None else None
    ours = manifest.files is not None and (owner is not None or manifest.replacing)
    return FolderState(has_manifest=True, ours=ours, owner=owner)


def folder_owner(folder: Path) -> Fingerprint | None:
    """Fingerprint of the video whose results `folder` holds; None where nothing tells."""
    return folder_state(folder).owner
