"""What people are called in pictures, where a name may have letters that no font on this machine has."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable

from core.errors import ascii_safe
from utils.text_drawing import can_write, plain_letters

logger = logging.getLogger(__name__)


def drawn_names(names: Iterable[str]) -> dict[str, str]:
    """What is drawn for each of `names`, of all people in the timeline's order.

    The name itself where it can be written, else without its accents ("Jose"), else person_NN by the person's place.
    """
    return dict(_drawn(tuple(names)))


@functools.lru_cache(maxsize=8)
def _drawn(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    drawn: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        plain = plain_letters(name)
        if can_write(name):
            drawn[name] = name
        else:
            drawn[name] = plain if can_write(plain) else _by_place(number, {*names, *drawn.values()})
            logger.warning(
                "no font on this machine has all letters of the name %s; %s is written in pictures instead",
                ascii_safe(name),
                drawn[name],
            )
    return tuple(drawn.items())


def _by_place(number: int, taken: set[str]) -> str:
    # Somebody else may be called so.
    while (name := f"person_{number:02d}") in taken:
        number += 1
    return name
