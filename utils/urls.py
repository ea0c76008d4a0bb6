"""URLs of files, for HTML pages and exports."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote


def href(path: str) -> str:
    """Return the relative URL of the file `path` (with forward slashes), with all special characters quoted."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")


def url_from(folder: Path, file: Path) -> str:
    """Return the relative URL that leads from a document in `folder` to `file`; an absolute one on another drive."""
    # Symbolic links are resolved in both, because a reader of the URL takes ".." for the parent of the link's target.
    target = file.parent.resolve() / file.name
    try:
        return href(os.path.relpath(target, folder.resolve()).replace(os.sep, "/"))
    except ValueError:  # Windows, where each drive has a tree of its own
        return target.as_uri()
