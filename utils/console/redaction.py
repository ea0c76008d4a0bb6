"""Makes texts safe to publish: folders are replaced by their purpose, names by numbers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from utils.console.printable_text import ascii_safe

_PERSONAL_FOLDER = re.compile(
    r"(?:/home|/Users|/run/media|/media|/mnt|/Volumes|[A-Za-z]:\\+Users)[/\\]+[^/\\\s'\"]+", re.IGNORECASE
)
"""folders whose name is likely to identify a person"""
_ELSEWHERE = "<elsewhere>"
_BEFORE, _AFTER = r"(?<![\w.~-])", r"(?![\w-])"


class Redactor:
    """Removes folder names and names of people from texts."""

    def __init__(self, folders: Mapping[Path, str], names: Mapping[str, str] | None = None) -> None:
        """folders: replacement of each folder, absolute or relative; the innermost of nested folders counts.

        names: replacement of each name, wherever it is a whole word.
        """
        self._folders = {form: replacement for path, replacement in folders.items() for form in _forms(path)}
        self._names = dict(names or {})
        found = sorted(self._folders, key=len, reverse=True)
        # A relative folder of one word might be an ordinary word of a sentence.
        endings = [_AFTER if os.sep in form else r"(?=[/\\])" for form in found]
        self._folder = re.compile(
            _BEFORE + "(?:" + "|".join(re.escape(f) + end for f, end in zip(found, endings, strict=True)) + ")"
        )
        listed = "|".join(map(re.escape, sorted(self._names, key=len, reverse=True)))
        # An underscore joins the parts of file names, so it ends a name.
        self._name = re.compile(rf"(?<![^\W_])(?:{listed})(?![^\W_])")

    def text(self, text: str) -> str:
        """Return `text` with every known folder and name replaced."""
        if text in self._folders:
            return self._folders[text]
        if self._folders:
            text = self._folder.sub(lambda match: self._folders[match[0]], text)
        text = _PERSONAL_FOLDER.sub(_ELSEWHERE, text)
        return self._name.sub(lambda match: self._names[match[0]], text) if self._names else text

    def value(self, value: Any) -> Any:
        """Return a copy of a JSON value with its strings redacted; keys stay."""
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return self.text(value) if isinstance(value, str) else value


def _forms(path: Path) -> set[str]:
    """Return the ways in which `path` may be written, without those too short to be replaced."""
    forms = {str(path), str(path.absolute()), os.path.realpath(path)}
    # Log lines escape unprintable characters.
    forms |= {ascii_safe(form) for form in forms}
    return {form for form in forms if form not in ("", ".", "..", os.sep)}
