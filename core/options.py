"""The settings as a command line shows them: one flag each, with its range, default and help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from config import Settings


@dataclass(frozen=True, slots=True)
class Option:
    """One setting as the command line shows it."""

    section: str
    name: str
    annotation: Any
    """the field's type with its range, what msgspec converts to"""
    choices: tuple[str, ...]
    """the words allowed, or () where it is no choice between words"""
    is_switch: bool
    """True for yes or no"""
    default: Any
    help: str
    """description, range and default"""

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def is_list(self) -> bool:
        """True for a setting that is several words."""
        return isinstance(self.default, tuple)

    def parse(self, text: str) -> Any:
        """The value that `text` stands for.

        Raises:
            ValueError: wrong type or out of range; the message says what is expected.
        """
        given = [item.strip() for item in text.split(",") if item.strip()] if self.is_list else text
        words = get_args(get_args(get_args(self.annotation)[0])[0]) if self.is_list else ()
        if unknown := [item for item in given if item not in words] if self.is_list else []:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(words)}")
        value = msgspec.convert(given, self.annotation, strict=False)
        section = get_type_hints(Settings)[self.section](**{self.name: value})  # which has checks of its own
        return getattr(section, self.name)


def options() -> tuple[Option, ...]:
    """Every setting, in the order of the sections above."""
    return tuple(
        _option(section, name, annotation)
        for section, cls in get_type_hints(Settings).items()
        for name, annotation in get_type_hints(cls, include_extras=True).items()
    )


def section_title(section: str) -> str:
    """First sentence of the section's docstring."""
    doc = get_type_hints(Settings)[section].__doc__ or ""
    return doc.partition(".")[0]


def _option(section: str, name: str, annotation: Any) -> Option:
    kind, meta = get_args(annotation)
    default = getattr(getattr(Settings(), section), name)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    facts = [_range_text(meta)]
    if isinstance(default, bool):
        facts.append(f"default: {'yes' if default else 'no'}")
    elif default not in ("", ()):
        facts.append(f"default: {default}")
    facts = [fact for fact in facts if fact]
    text = f"{meta.description} ({'; '.join(facts)})" if facts else meta.description
    return Option(section, name, annotation, choices, kind is bool, default, text)


def _range_text(meta: Meta) -> str:
    low = f"{meta.ge}" if meta.ge is not None else f"above {meta.gt}" if meta.gt is not None else ""
    high = f"{meta.le}" if meta.le is not None else f"below {meta.lt}" if meta.lt is not None else ""
    step = f", a multiple of {meta.multiple_of}" if meta.multiple_of is not None else ""
    return " to ".join(bound for bound in (low, high) if bound) + step
