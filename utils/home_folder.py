"""Paths that begin with `~`, for where no shell expands them."""

from __future__ import annotations

from pathlib import Path


def expand_home(path: str) -> str:
    """Return `path` with a leading `~` or `~user` replaced by that home folder.

    Raises:
        ValueError: the home folder is not known.
    """
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError as error:
        user = path.partition("/")[0]
        raise ValueError(f"{path!r}: no home folder is known for {user}; give the path without it") from error
