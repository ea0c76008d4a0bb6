"""Formats whose files end with a mark, so that a missing end can be noticed although the file claims no length."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

_TAIL_BYTES = 2**17
"""two Ogg pages, which have up to 65307 bytes (RFC 3533, 6)"""
_OGG_PAGE, _OGG_FLAGS_AT, _OGG_LAST = b"OggS", 5, 4
_GIF_TRAILER, _PADDING = b"\x3b", b"\0\r\n"
_APNG_TRAILER = b"IEND\xaeB`\x82"
"""the last chunk, whose checksum is always the same (PNG specification, 11.2.5)"""


def lacks_end_mark(path: Path, container: str) -> bool:
    """Whether the file ends without the mark that its format ends with; False for formats that have none.

    container: `VideoInfo.container`. GIF, APNG and Ogg are looked at.
    """
    check = _CHECKS.get(container)
    with contextlib.suppress(OSError):
        return check is not None and not check(_tail(path))
    return False


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return file.read()


def _gif_ends(tail: bytes) -> bool:
    return tail.rstrip(_PADDING).endswith(_GIF_TRAILER)


def _ogg_ends(tail: bytes) -> bool:
    flags_at = tail.rfind(_OGG_PAGE) + _OGG_FLAGS_AT
    return flags_at < len(tail) and tail[flags_at] & _OGG_LAST != 0


def _apng_ends(tail: bytes) -> bool:
    return tail.rstrip(_PADDING).endswith(_APNG_TRAILER)


_CHECKS: dict[str, Callable[[bytes], bool]] = {"gif": _gif_ends, "apng": _apng_ends, "ogg": _ogg_ends}
