"""URLs of files, for HTML pages and exports."""

from __future__ import annotations

from urllib.parse import quote


def href(path: str) -> str:
    """Return the relative URL of the file `path` (with forward slashes), with all special characters quoted."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")
