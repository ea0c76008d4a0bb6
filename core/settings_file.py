"""Settings from a TOML file and from flags, checked by the structures of `config.py`.

Order of precedence: defaults < `--config FILE.toml` < flags. An unknown key is an error.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
import msgspec.toml

from config import RENAMED, Settings
from core.errors import SettingsError

logger = logging.getLogger(__name__)


def load_settings(toml_file: Path | None, overrides: dict[str, dict[str, Any]]) -> Settings:
    """Build the settings: defaults, then the TOML file, then `overrides` ({section: {key: value}}).

    Raises:
        SettingsError: the file cannot be read or parsed; unknown key, wrong type, value out of range. The message names
            the key, e.g. "analysis.min_face".
    """
    values = {} if toml_file is None else read_settings_file(toml_file)
    merged = {name: dict(section) for name, section in values.items()}
    for name, section in _renamed(overrides, None).items():
        merged.setdefault(name, {}).update(section)
    return _convert(merged, None)


def read_settings_file(path: Path) -> dict[str, dict[str, Any]]:
    """Return what a TOML file sets, {section: {key: value}}, under the new names of renamed settings.

    Raises:
        SettingsError: as in `load_settings`.
    """
    try:
        values = msgspec.toml.decode(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"cannot read the settings: {error.strerror}", path=path) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"is not valid TOML: {error}", path=path) from error
    values = _renamed(values, path)
    _convert(values, path)
    return values


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


def _convert(values: dict[str, Any], source: Path | None) -> Settings:
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        message = str(error).replace(" - at `$.", " at `").replace(" - at `$`", "")
        hint = "python main.py --help lists all settings and their ranges"
        raise SettingsError(message, path=source, hint=hint) from error
