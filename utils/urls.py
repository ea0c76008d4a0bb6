"""Addresses of files, for pages and for other programs' files."""

from __future__ import annotations

from urllib.parse import quote


def href(path: str) -> str:
    """Relative address of the file `path`, which has forward slashes: no character of it means anything but itself."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")
