"""How names are written in images: a name may have letters that are in no font on this machine."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable

from processors.people.numbered_names import numbered_name
from utils.console.printable_text import ascii_safe
from utils.images.text_drawing import can_write, plain_letters

logger = logging.getLogger(__name__)


def drawn_names(names: Iterable[str]) -> dict[str, str]:
    """The text drawn for each of `names`, the names of all people in the timeline's order.

    The name itself if a font has its letters, else the name without accents ("Jose"), else person_NN with the position
    of the person in the timeline.
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
            drawn[name] = plain if can_write(plain) else _by_position(number, {*names, *drawn.values()})
            logger.warning(
                "no font on this machine has all letters of the name %s; %s is written in images instead",
                ascii_safe(name),
                drawn[name],
            )
    return tuple(drawn.items())


def _by_position(number: int, taken: set[str]) -> str:
    # Another person may have that name.
    while (name := numbered_name(number)) in taken:
        number += 1
    return name
