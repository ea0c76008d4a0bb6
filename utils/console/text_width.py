"""Width of text on a terminal, where Chinese, Japanese and Korean characters take two columns."""

from __future__ import annotations

import unicodedata


def columns(text: str) -> int:
    """Return the number of columns that `text` takes."""
    return sum(_columns(letter) for letter in text)


def padded(text: str, width: int) -> str:
    """Return `text` padded with spaces to `width` columns."""
    return text + " " * max(0, width - columns(text))


def shortened(text: str, width: int) -> str:
    """Return `text`, cut off with an ellipsis if it takes more than `width` columns (at least 1)."""
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for letter in text:
        used += _columns(letter)
        if used > width - 1:
            break
        kept.append(letter)
    return "".join(kept) + "\N{HORIZONTAL ELLIPSIS}"


def _columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
