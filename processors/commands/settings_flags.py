"""Flags for the settings of `config.py`, and the settings that the parsed flags give."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from config import Settings
from core.options import Option, flag_of, section_title
from core.profiles import PROFILES, profile_settings
from core.settings_file import current_names, load_settings, merged, read_settings_file, user_settings_file
from processors.commands.argument_parser import Parser, argument_type

_METAVARS = {float: "NUMBER", int: "N", str: "TEXT", tuple: "LIST"}


def add_settings(parser: Parser, options: Iterable[Option]) -> None:
    """Add a flag for each of `options`, grouped by section.

    The destination of a flag is "section.name"; it is absent from the namespace unless the flag was given.
    """
    groups: dict[str, Any] = {}
    for option in options:
        if option.section not in groups:
            groups[option.section] = parser.add_argument_group(option.section, section_title(option.section))
        _add_flag(groups[option.section], option)


def add_profile(parser: Parser) -> None:
    """Add --for; its destination is `profile`."""
    bundles = "; ".join(f"{name} ({profile.purpose}): {profile.flags}" for name, profile in PROFILES.items())
    text = f"settings for one purpose; flags override them, and they override a settings file. {bundles}"
    parser.add_argument("--for", dest="profile", choices=tuple(PROFILES), default="", help=text)


def settings_from(
    parsed: argparse.Namespace, recorded: dict[str, dict[str, Any]] | None = None, found: Path | None = None
) -> Settings:
    """Build the settings: defaults, then a file, then the `recorded` settings, then --for, then flags.

    found: the file to use without `--config`; None: the user's, if there is one.

    Raises:
        SettingsError: the file cannot be read, or a value is invalid.
    """
    config: Path | None = getattr(parsed, "config", None)
    return load_settings(
        config,
        merged(current_names(recorded or {}), _flag_settings(parsed)),
        found=found or user_settings_file(),
        follow_profile=not _profile(parsed),
    )


def given_settings(parsed: argparse.Namespace) -> frozenset[str]:
    """Names of the settings that flags, --for or the file of --config set, "section.name".

    Raises:
        SettingsError: the file cannot be read, or a value is invalid.
    """
    config: Path | None = getattr(parsed, "config", None)
    values = {} if config is None else read_settings_file(config, follow_profile=not _profile(parsed))
    values = merged(values, _flag_settings(parsed))
    return frozenset(f"{section}.{name}" for section, keys in current_names(values).items() for name in keys)


def _profile(parsed: argparse.Namespace) -> str:
    return getattr(parsed, "profile", "")


def _flag_settings(parsed: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The settings that the flags give, {section: {name: value}}, above those that --for stands for."""
    flags: dict[str, dict[str, Any]] = {}
    for destination, value in vars(parsed).items():
        section, dot, name = destination.partition(".")
        if dot:
            flags.setdefault(section, {})[name] = value
    return merged(profile_settings(_profile(parsed)), flags)


def _add_flag(group: Any, option: Option) -> None:
    kind: dict[str, Any]
    if option.is_switch and option.name.startswith("no_"):
        kind = {"action": "store_true"}
    elif option.is_switch:
        kind = {"action": argparse.BooleanOptionalAction}
    elif option.choices:
        kind = {"choices": option.choices}
    elif option.is_list and not option.words:
        kind = {"nargs": "+", "metavar": "FILE"}
    else:
        kind = {"type": argument_type(option.parse), "metavar": option.metavar or _METAVARS[type(option.default)]}
    for name in (option.name, *option.old_names):
        text = option.help.replace("%", "%%") if name == option.name else argparse.SUPPRESS
        destination = f"{option.section}.{name}"
        group.add_argument(flag_of(name), dest=destination, default=argparse.SUPPRESS, help=text, **kind)
