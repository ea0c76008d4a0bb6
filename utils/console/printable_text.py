"""Text from files and names, made safe to print: it cannot break a line or send commands to a terminal."""

from __future__ import annotations

_JOINERS = "\u200c\u200d"
"""not printable by themselves, but letters of Persian and Indic names and parts of emoji depend on them"""


def ascii_safe(text: str) -> str:
    """`text` with control characters, line separators and lone surrogates escaped; other characters are kept."""
    return "".join(c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape").decode("ascii") for c in text)
