"""Checks of the fields of a frozen msgspec structure that types and ranges cannot express, for its `__post_init__`.

msgspec turns the ValueErrors raised here into ValidationErrors, and puts the path of the structure into the message.
"""

from __future__ import annotations

import contextlib
import re
import string
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from utils.time_formats import parse_clock

_FOLDER_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_ADDRESS = re.compile(r"(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}", re.ASCII)
"""host or IPv6 address, and port"""


@contextlib.contextmanager
def errors_named(field: str) -> Iterator[None]:
    """Raise a ValueError of the block again, with the name of the field before its message."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error


def parse_field(struct: msgspec.Struct, field: str, parse: Callable[[Any], Any]) -> None:
    """Replace the value of `field` by what `parse` makes of it, although the structure is frozen.

    Raises:
        ValueError: raised by `parse`; the message begins with the name of the field.
    """
    with errors_named(field):
        value = parse(getattr(struct, field))
    msgspec.structs.force_setattr(struct, field, value)


def parse_seconds(value: float | str, highest_s: int) -> float:
    """Seconds, given as a number or as text ("1:02:03.5"); from 0 to `highest_s`.

    Raises:
        ValueError: it is no time, or out of range.
    """
    seconds = parse_clock(value) if isinstance(value, str) else float(value)
    if not 0 <= seconds <= highest_s:
        raise ValueError(f"{value!r} is not from 0 to {highest_s} seconds")
    return seconds


def check_word_or_count(value: int | str, word: str, highest: int) -> int | str:
    """Return `word`, or the number from 1 to `highest` that `value` is or spells.

    Raises:
        ValueError: it is neither.
    """
    count = _number_spelled(value)
    if count != word and not (isinstance(count, int) and 1 <= count <= highest):
        raise ValueError(f"{str(count)!r} is neither {word} nor a number from 1 to {highest}")
    return count


def check_word_or_one_of(value: int | str, word: str, numbers: Sequence[int]) -> int | str:
    """Return `word`, or the one of `numbers` that `value` is or spells.

    Raises:
        ValueError: it is neither.
    """
    number = _number_spelled(value)
    if number != word and number not in numbers:
        raise ValueError(f"{str(number)!r} is not one of {', '.join(map(str, numbers))} and {word}")
    return number


def check_template(text: str, fields: Sequence[str]) -> str:
    """Return `text` if it is a `string.Template` that names none but `fields`.

    Raises:
        ValueError: it is empty, or names another field, or has a `$` without a field.
    """
    # Template.get_identifiers() is new in Python 3.11
    named = [match["named"] or match["braced"] for match in string.Template.pattern.finditer(text)]
    unknown = [name or "$" for name in named if name not in fields]
    if unknown or not text.strip():
        wrong = f"{unknown[0]} is not a field" if unknown else "it is empty"
        raise ValueError(f"{wrong}; fields are {', '.join(fields)}")
    return text


def check_folder_word(name: str) -> str:
    """Return `name` if a folder can be called that on every file system.

    Raises:
        ValueError: it cannot.
    """
    if _FOLDER_WORD.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a name of up to 32 of a-z, 0-9, - and _")
    return name


def is_address(text: str) -> bool:
    """Whether `text` is HOST:PORT, with a host name, an IPv4 address or an IPv6 address in brackets."""
    return _ADDRESS.fullmatch(text) is not None


def _number_spelled(value: int | str) -> int | str:
    """The number that `value` is or spells, else `value`."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value
