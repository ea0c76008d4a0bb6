"""Counts with singular or plural nouns."""

from __future__ import annotations


def count_of(number: int, one: str, many: str = "") -> str:
    """1, "clip" -> "1 clip"; 2, "clip" -> "2 clips"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
