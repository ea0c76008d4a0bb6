"""The settings of `config.py` as command-line options: flag, range, default and help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from config import RENAMED, Settings


@dataclass(frozen=True, slots=True)
class Option:
    """One setting as a command-line option."""

    section: str
    name: str
    annotation: Any
    """type and range of the field, for msgspec.convert"""
    choices: tuple[str, ...]
    """the allowed words; () if the setting is not a choice"""
    is_switch: bool
    """True for a yes/no setting"""
    default: Any
    help: str
    """description, range and default"""
    range: str
    """limits of a number, as in "0.02 to 0.5"; "" without limits"""
    metavar: str = ""
    """what the value is called in the help; "": given by its type"""

    @property
    def flag(self) -> str:
        """The flag on the command line, "--min-face" for `min_face`."""
        return flag_of(self.name)

    @property
    def old_names(self) -> tuple[str, ...]:
        """Names that the setting had before and that still work."""
        return tuple(old for (section, old), new in RENAMED.items() if (section, new) == (self.section, self.name))

    @property
    def is_list(self) -> bool:
        """True for a list of words."""
        return isinstance(self.default, tuple)

    @property
    def words(self) -> tuple[str, ...]:
        """The allowed words of a list; () if it may hold any text, or the setting is not a list."""
        return get_args(get_args(get_args(self.annotation)[0])[0]) if self.is_list else ()

    @property
    def expected(self) -> str:
        """What a value of the right type and range is, for messages: "a number, 0.02 to 0.5"."""
        if self.is_list:
            return f"a list of {', '.join(self.words) or 'texts'}"
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.is_switch:
            return "true or false"
        kinds = {int: "a whole number", float: "a number", str: "text"}
        kind = " or ".join(kinds[kind] for kind in (get_args(get_args(self.annotation)[0]) or (type(self.default),)))
        return f"{kind}, {self.range}" if self.range else kind

    def parse(self, text: str) -> Any:
        """Return the value of `text`.

        Raises:
            ValueError: wrong type or out of range; the message states what is expected.
        """
        given = [item.strip() for item in text.split(",") if item.strip()] if self.is_list else text
        words = self.words
        if unknown := [item for item in given if item not in words] if words else []:
            raise ValueError(f"{unknown[0]!r} is not one of {', '.join(words)}")
        try:
            value = msgspec.convert(given, self.annotation, strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(f"expected {self.expected}") from error
        section = get_type_hints(Settings)[self.section](**{self.name: value})  # a section has checks of its own
        return getattr(section, self.name)


def options() -> tuple[Option, ...]:
    """Return every setting, in the order of `config.Settings`."""
    return tuple(
        _option(section, name, annotation)
        for section, cls in get_type_hints(Settings).items()
        if section != "variants"  # they consist of settings that have their flags already
        for name, annotation in get_type_hints(cls, include_extras=True).items()
    )


def flag_of(name: str) -> str:
    """Return the flag of the setting `name`."""
    return "--" + name.replace("_", "-")


def section_title(section: str) -> str:
    """Return the first sentence of the section's docstring."""
    doc = get_type_hints(Settings)[section].__doc__ or ""
    return doc.partition(".")[0]


def _option(section: str, name: str, annotation: Any) -> Option:
    kind, meta = get_args(annotation)
    default = getattr(getattr(Settings(), section), name)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    facts = [_range_text(meta)]
    if isinstance(default, bool):
        facts.append(f"default: {'yes' if default else 'no'}")
    elif default not in ("", ()) and not (meta.extra and not default):
        facts.append(f"default: {default}")
    facts = [fact for fact in facts if fact]
    text = f"{meta.description} ({'; '.join(facts)})" if facts else meta.description
    metavar = (meta.extra or {}).get("metavar", "")
    return Option(section, name, annotation, choices, kind is bool, default, text, _range_text(meta), metavar)


def _range_text(meta: Meta) -> str:
    low = f"{meta.ge}" if meta.ge is not None else f"above {meta.gt}" if meta.gt is not None else ""
    high = f"{meta.le}" if meta.le is not None else f"below {meta.lt}" if meta.lt is not None else ""
    step = f", a multiple of {meta.multiple_of}" if meta.multiple_of is not None else ""
    return " to ".join(bound for bound in (low, high) if bound) + step
