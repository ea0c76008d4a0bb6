"""How wide text is on a terminal, where Chinese, Japanese and Korean letters take two columns."""

from __future__ import annotations

import unicodedata


def columns(text: str) -> int:
    """How many columns `text` takes."""
    return sum(_columns(letter) for letter in text)


def padded(text: str, width: int) -> str:
    """`text` with spaces behind it up to `width` columns."""
    return text + " " * max(0, width - columns(text))


def _columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
