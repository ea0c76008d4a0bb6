"""What people without a name are called: person_01, person_02, ..."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBERED = re.compile(r"person_(\d{1,6})", re.ASCII)


def numbered_name(number: int) -> str:
    """The name of person `number`: 7 is person_07."""
    return f"person_{number:02d}"


def is_numbered(name: str) -> bool:
    """Whether `name` is one that the program gives."""
    return _NUMBERED.fullmatch(name) is not None


def next_numbered_name(names: Iterable[str]) -> str:
    """The name of one more person beside those with `names`; a number that is free between theirs is not used."""
    numbers = [int(match[1]) for name in names if (match := _NUMBERED.fullmatch(name))]
    return numbered_name(max(numbers, default=0) + 1)


def name_order(name: str, on_screen_s: float) -> tuple[bool, int, float]:
    """Sort key of the names that one person has in one video: the first one stays when their folders are merged.

    A given name comes before a numbered one, "Anna" before "Anna (2)", then whoever is shown longest, seconds.
    """
    return is_numbered(name), len(name), -on_screen_s
