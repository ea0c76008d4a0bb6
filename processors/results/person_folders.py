"""Names of people's folders: which a person can have, and which of them are the same to a file system."""

from __future__ import annotations

from pathlib import Path

from config import EXTRA_FILES
from core.errors import SettingsError
from processors.results.tracks_table import UNKNOWN_PERSON
from utils.console.printable_text import ascii_safe
from utils.files import fold, safe_name

_RESERVED = frozenset({
    "contact.jpg", "index.html", "manifest.json", "report.html", "speech.csv", "timeline.json",
    "timeline.json.bak", "tracks.csv", UNKNOWN_PERSON, *EXTRA_FILES.values(),
})  # fmt: skip
"""names that a person cannot have: files beside the people's folders, and words with a meaning in tracks.csv"""


def check_name(name: str, path: Path | None, field: str) -> None:
    """Refuse a person's name that cannot be the name of a folder. path, field: what the message begins with.

    Raises:
        SettingsError: the message suggests a name that could be used.
    """
    possible, shown = safe_name(name), ascii_safe(name)
    if name != possible:
        complaint = f"'{shown}' cannot be the name of a folder, '{possible}' could"
        raise SettingsError(f"{field}: {complaint}", path=path)
    if fold(name) in _RESERVED:
        raise SettingsError(f"{field}: '{shown}' is reserved here", path=path)
