"""Atomic writes: files appear under their final name only when they are complete."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

PARTIAL_PREFIX = ".partial-"
"""prefix of temporary files beside their final name; leftovers may be removed at any time"""
_DEVICE = re.compile(r"^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)
"""names that Windows takes for devices, with any extension"""


@contextlib.contextmanager
def atomic_path(final: Path, *, suffix: str = "") -> Iterator[Path]:
    """Yield a temporary path beside `final`; on success it is synced and replaces `final`.

    On any exception (KeyboardInterrupt included) the temporary file is removed and `final` is left unchanged. suffix:
    the temporary file's extension if the writer needs a certain one (".mp4").
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = final.parent / f"{PARTIAL_PREFIX}{secrets.token_hex(8)}{suffix or final.suffix}"
    partial.open("xb").close()
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(final)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def scratch_file(folder: Path, *, suffix: str = "") -> Iterator[IO[bytes]]:
    """A new file in `folder`, open for writing and removed after the block. `name` is its path."""
    path = folder / f"{PARTIAL_PREFIX}{secrets.token_hex(8)}{suffix}"
    file = path.open("xb")
    try:
        yield file
    finally:
        # Closing flushes the buffer, which fails again on a full disk; the content is no longer needed.
        with contextlib.suppress(OSError):
            file.close()
        path.unlink(missing_ok=True)


def write_text(final: Path, text: str) -> None:
    """Write `text` as UTF-8 with `\\n` line ends, atomically."""
    write_bytes(final, text.encode("utf-8"))


def write_parts(final: Path, parts: Iterable[str]) -> None:
    """Write a text that is made piece by piece, so that it is never in memory as a whole, as `write_text` does."""
    with atomic_path(final) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(parts)


def write_bytes(final: Path, data: bytes) -> None:
    """Write `data` atomically."""
    with atomic_path(final) as partial:
        partial.write_bytes(data)


def write_json(final: Path, value: Any) -> None:
    """Write `value` as indented JSON with the keys in the order given, atomically."""
    write_text(final, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def link_or_copy(source: Path, target: Path) -> None:
    """Make the file `source` appear as `target` too: as a hard link where possible, else as a copy; replaces `target`.

    Raises:
        OSError: neither is possible.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def fold(name: str) -> str:
    """Return a form of `name` that is equal for names that some file systems do not distinguish."""
    return unicodedata.normalize("NFC", name).casefold()


def safe_name(name: str, *, limit_bytes: int = 120) -> str:
    """A folder name made from any file name: NFC, no separators, control or shell-hostile characters.

    Never empty, never "." or "..", never starts with a dash or a dot, never what Windows takes for a device, at most
    `limit_bytes` in UTF-8.
    Different inputs may give the same name; callers that need unique names append something.
    """
    # Python represents bytes that are not UTF-8 as lone surrogates, which cannot be encoded.
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    text = "".join("_" if c in '/\\:*?"<>|' or not c.isprintable() else c for c in text)
    text = re.sub(r"\s+", " ", text).strip(" .").lstrip("-. ")
    text = text.encode("utf-8")[:limit_bytes].decode("utf-8", "ignore").strip(" .")
    return _DEVICE.sub(r"\g<0>_", text) or "video"
