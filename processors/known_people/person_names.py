"""What a person is called: the name shown, the id of the gallery, and the name of a folder are three things."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

from core.errors import SettingsError
from utils.console.printable_text import ascii_safe
from utils.files import safe_name

MAX_NAME_BYTES = 255
"""of a name in UTF-8; a folder's name is shorter, because files in it are named too"""

FOLDER_BYTES = 120
"""of a folder's name, see `safe_name`"""

_JOINERS = frozenset("\u200c\u200d")
"""invisible, and part of emoji and of some scripts"""
_ID = re.compile(r"P(\d{1,9})", re.ASCII)
_LOOKS_LIKE_A_LABEL = re.compile(r"(p\d+|person[_ ]?\d+|unknown|nobody)", re.ASCII)
"""what the program itself calls people"""


def person_id(number: int) -> str:
    """The id of the gallery's person `number`: 7 is P0007."""
    return f"P{number:04d}"


def person_number(text: str) -> int | None:
    """The number in an id, None where `text` is no id; upper or lower case."""
    match = _ID.fullmatch(text.strip().upper())
    return int(match[1]) if match else None


def clean_name(text: str) -> str:
    """`text` as a name that can be shown: NFC, one line, no invisible controls, at most 255 bytes; may be empty."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    text = "".join(c if c.isprintable() or c in _JOINERS else " " for c in text)
    text = " ".join(text.split()).strip("".join(_JOINERS))
    return text.encode("utf-8")[:MAX_NAME_BYTES].decode("utf-8", "ignore").strip()


def checked_name(text: str) -> str:
    """`text` as somebody's name.

    Raises:
        SettingsError: nothing of it can be shown, or it is what the program calls people it has no name for.
    """
    name = clean_name(text)
    if not name:
        raise SettingsError(f"'{ascii_safe(text)}' is not a usable name", hint="use letters or digits")
    if _LOOKS_LIKE_A_LABEL.fullmatch(folded(name)):
        raise SettingsError(f"'{ascii_safe(name)}' is what the program calls people without a name")
    return name


def folded(name: str) -> str:
    """What two names have in common that count as one: case and composition do not tell people apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def folder_names(names: Iterable[str], *, taken: Collection[str] = ()) -> list[str]:
    """A folder name for each name, in order; all differ, in upper and lower case too.

    The first Anna gets "Anna", a second one "Anna (2)". taken: folder names that are not to be given.
    """
    used = {folded(name) for name in taken}
    folders = []
    for name in names:
        folder, number = safe_name(name), 1
        while folded(folder) in used:
            number += 1
            suffix = f" ({number})"
            # The number must survive where names are cut to the length of a folder's.
            folder = safe_name(name, limit_bytes=FOLDER_BYTES - len(suffix)) + suffix
        used.add(folded(folder))
        folders.append(folder)
    return folders
