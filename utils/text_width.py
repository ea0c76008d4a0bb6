"""Width of text on a terminal, where Chinese, Japanese and Korean characters take two columns."""

from __future__ import annotations

import unicodedata


def columns(text: str) -> int:
    """Return the number of columns that `text` takes."""
    return sum(_columns(letter) for letter in text)


def padded(text: str, width: int) -> str:
    """Return `text` padded with spaces to `width` columns."""
    return text + " " * max(0, width - columns(text))


def _columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
