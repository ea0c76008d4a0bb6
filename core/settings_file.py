"""Settings from a TOML file and from flags, checked by the structures of `config.py`.

Order of precedence: defaults < the file's `for` < the file < `--for` < flags. The file is that of `--config`, or one
that is found: beside the inputs, or in the user's config folder. An unknown key is an error.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import msgspec.toml

from config import PROGRAM, RENAMED, RESULT_SECTIONS, Settings
from core.errors import SettingsError
from core.options import options
from core.profiles import profile_settings
from utils.home_folder import expand_home

logger = logging.getLogger(__name__)

SETTINGS_NAME = f"{PROGRAM}.toml"
"""name of a settings file that is found without being named"""

_FILES = (("analysis", "cuts"),)
"""file names among the settings that determine how results are made"""

PROFILE_KEY = "for"
"""key of a settings file, above all sections, that names a profile"""

_HINT = "main.py config lists all settings and their ranges"


def load_settings(
    toml_file: Path | None,
    overrides: dict[str, dict[str, Any]],
    *,
    found: Path | None = None,
    follow_profile: bool = True,
) -> Settings:
    """Build the settings: defaults, then the TOML file, then `overrides` ({section: {key: value}}).

    found: a settings file that was found, used if `toml_file` is None. follow_profile: see `read_settings_file`.

    Raises:
        SettingsError: the file cannot be read or parsed; unknown key, wrong type, value out of range. The message names
            the setting as it was given, "analysis.min_face" in a file or "--min-face".
    """
    values: dict[str, dict[str, Any]] = {}
    if toml_file is not None:
        values = read_settings_file(toml_file, follow_profile=follow_profile)
    elif found is not None:
        values = read_found_file(found, follow_profile=follow_profile)
    return _convert(merged(values, _renamed(overrides, None)), None)


def merged(*layers: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The values of all `layers` ({section: {key: value}}); later ones take precedence."""
    result: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for section, keys in layer.items():
            result.setdefault(section, {}).update(keys)
    return result


def find_settings_file(inputs: Sequence[Path]) -> Path | None:
    """The settings file of a run without `--config`: beside the `inputs`, else the user's; None without either.

    The folders that are searched are those of the inputs, and the parents of input folders: in/a.mp4 and in/ both find
    in/face-clips.toml.

    Raises:
        SettingsError: there are several beside different inputs.
    """
    found = {file.absolute(): file for path in inputs if (file := _file_beside(path)) is not None}
    if len(found) > 1:
        names = ", ".join(map(str, found.values()))
        raise SettingsError(f"the inputs have several settings files: {names}", hint="--config FILE.toml names one")
    return next(iter(found.values()), None) or user_settings_file()


def user_settings_file() -> Path | None:
    """`face-clips/face-clips.toml` in $XDG_CONFIG_HOME, by default ~/.config; None where there is none."""
    try:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or expand_home("~/.config"))
    except ValueError:
        return None
    file = folder / PROGRAM / SETTINGS_NAME
    return file if file.is_file() else None


def read_found_file(path: Path, *, follow_profile: bool = True) -> dict[str, dict[str, Any]]:
    """`read_settings_file` for a file that was found. Beside videos it may only say how results are made.

    Such a file may have come with somebody else's videos, so it must not name files and folders.

    Raises:
        SettingsError: as in `load_settings`; or it sets something else.
    """
    values = read_settings_file(path, follow_profile=follow_profile)
    others = [f"[{name}]" for name in sorted(values.keys() - {*RESULT_SECTIONS, "output", "variants"})]
    others += [f"{section}.{name}" for section, name in _FILES if name in values.get(section, {})]
    if others and path != user_settings_file():
        hint = f"--config {path.name} allows it, and so does a file in your config folder"
        raise SettingsError(f"a settings file beside videos cannot set {others[0]}", path=path, hint=hint)
    return values


def read_settings_file(path: Path, *, follow_profile: bool = True) -> dict[str, dict[str, Any]]:
    """Return what a TOML file sets, {section: {key: value}}, under the new names of renamed settings.

    follow_profile: include the settings of its `for`; False if `--for` replaces it.

    Raises:
        SettingsError: as in `load_settings`.
    """
    try:
        values = msgspec.toml.decode(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"cannot read the settings: {error.strerror}", path=path) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"is not valid TOML: {error}", path=path, hint="main.py config prints a valid file"
        ) from error
    try:
        profile = profile_settings(values.pop(PROFILE_KEY, ""))
    except ValueError as error:
        raise SettingsError(str(error), path=path) from error
    values = _renamed(values, path)
    _convert(values, path)
    return merged(profile, values) if follow_profile else values


def current_names(values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` ({section: {key: value}}) with the new names of renamed settings.

    For recorded settings; those that a user gives under an old name are reported by `load_settings`.
    """
    result = {section: dict(keys) if isinstance(keys, dict) else keys for section, keys in values.items()}
    for (section, old), new in RENAMED.items():
        keys = result.get(section)
        if isinstance(keys, dict) and old in keys and new not in keys:
            keys[new] = keys.pop(old)
    return result


def explain_invalid(error: msgspec.ValidationError, values: Mapping[str, Any], source: Path | None) -> str:
    """What is wrong with `values`, beginning with the setting: "clip.size: " of the file `source`, else "--size: "."""
    message, _, place = str(error).partition(" - at `$")
    place = place.strip(".`")
    section, _, key = place.partition(".")
    # A check of a whole section, or of all of them, begins its message with the name of the setting.
    checked, _, reason = message.partition(": ")
    name = key.partition("[")[0]  # an entry of a list: export[0]
    for option in options():
        shown = option.flag if source is None else f"{option.section}.{option.name}"
        if (option.section, option.name) == (section, name):
            return f"{shown}: expected {option.expected}, not {values[section][name]!r}"
        if reason and option.name == checked and place in (option.section, ""):
            return f"{shown}: {reason}"
    separator = "." if reason and checked.isidentifier() else ": "  # a set of clips: variants[...].clip.size
    return f"{place}{separator}{message}" if place else message


def _renamed(values: dict[str, Any], source: Path | None) -> dict[str, Any]:
    """Apply `current_names` and log a warning for each old name. source: the TOML file; None for flags.

    Raises:
        SettingsError: a setting is given under both names.
    """
    for (section, old), new in RENAMED.items():
        given = values.get(section)
        if isinstance(given, dict) and old in given:
            if new in given:
                raise SettingsError(f"{old} is the old name of {new}; only one of them may be given", path=source)
            names = [f"--{name.replace('_', '-')}" if source is None else f"{section}.{name}" for name in (old, new)]
            where = "" if source is None else f"{source.name}: "
            logger.warning("%s%s is now called %s; the old name will be removed in the next release", where, *names)
    return current_names(values)


def _file_beside(path: Path) -> Path | None:
    folders = [path, path.absolute().parent] if path.is_dir() else [path.absolute().parent]
    return next((folder / SETTINGS_NAME for folder in folders if (folder / SETTINGS_NAME).is_file()), None)


def _convert(values: dict[str, Any], source: Path | None) -> Settings:
    """The settings that `values` give. source: the TOML file; None if flags are among them."""
    _check_names(values, source)
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(explain_invalid(error, values, source), path=source, hint=_HINT) from error


def _check_names(values: dict[str, Any], source: Path | None) -> None:
    """Refuse unknown sections and keys, with the name that is probably meant."""
    known = msgspec.to_builtins(Settings())
    for section, keys in values.items():
        if section not in known:
            guess = _guess(section, known) if isinstance(keys, dict) else _owner(section, known)
            raise SettingsError(f"there is no section [{section}]{guess}", path=source, hint=_HINT)
        if not isinstance(keys, dict):
            raise SettingsError(f"{section} is a section, not a setting: [{section}]", path=source, hint=_HINT)
        if section == "variants":
            continue
        for key in keys:
            if key in known[section]:
                continue
            guess = _owner(key, known) or _guess(key, known[section])
            raise SettingsError(f"there is no setting {section}.{key}{guess}", path=source, hint=_HINT)


def _owner(key: str, known: Mapping[str, Any]) -> str:
    """Which section the setting `key` belongs to, "" if there is no such setting."""
    owners = [name for name, keys in known.items() if key in keys and name != "variants"]
    return f"; {key} belongs to [{owners[0]}]" if owners else ""


def _guess(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {close[0]}?" if close else ""
