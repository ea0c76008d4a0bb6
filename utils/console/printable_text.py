"""Text from files and names, made safe to print: it cannot break a line or send commands to a terminal."""

from __future__ import annotations


def ascii_safe(text: str) -> str:
    """`text` with control characters, line separators and lone surrogates escaped; other characters are kept."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
