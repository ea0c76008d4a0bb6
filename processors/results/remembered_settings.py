"""The settings that a folder was made with: later runs follow them, and flags that contradict them are noticed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import msgspec
from msgspec.structs import replace

from config import RESULT_SECTIONS, ExportFormat, Settings, result_settings
from core.errors import SettingsError, ascii_safe
from core.options import flag_of
from core.settings_file import current_names
from processors.results.manifest import Manifest

ONLY = "people.only"
"""the one setting outside `RESULT_SECTIONS` that decides which clips there are"""

_NOT_REMEMBERED = frozenset({("analysis", "device")})
"""a GPU and a CPU find the same faces up to rounding, and the next run may be on another machine"""


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """A setting whose value differs from the one that results were made with."""

    section: str
    name: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """What the results were made with, "aspect 1:1"; the name is that of the flag."""
        value = ("no", "yes")[self.before] if isinstance(self.before, bool) else str(self.before) or "empty"
        return f"{flag_of(self.name).removeprefix('--')} {ascii_safe(value)}"


def remembered_settings(manifest: Manifest) -> Settings | None:
    """The result settings that `manifest` records, and defaults where it records none; None if they are invalid today.

    A key that this version does not know is left out: another version wrote it.
    """
    defaults = result_settings(Settings())
    recorded = current_names(manifest.settings)
    known: dict[str, Any] = {
        section: {key: value for key, value in recorded.get(section, {}).items() if key in defaults[section]}
        for section in RESULT_SECTIONS
    }
    known["people"] = {"only": manifest.names.only}
    try:
        return msgspec.convert(known, Settings)
    except msgspec.ValidationError:
        return None


def followed_settings(manifest: Manifest | None, settings: Settings, given: Collection[str] | None) -> Settings:
    """`settings` for the folder of `manifest`: what is not `given` is as the folder remembers it, extras included.

    given: names of the settings that the user asks for, "section.name"; None: all of them.

    Raises:
        SettingsError: what is given contradicts what is remembered.
    """
    if manifest is None or given is None or (remembered := remembered_settings(manifest)) is None:
        return settings
    values = msgspec.to_builtins(settings)
    for section, keys in result_settings(remembered).items():
        for name, value in keys.items():
            if f"{section}.{name}" not in given and (section, name) not in _NOT_REMEMBERED:
                values[section][name] = value
    if ONLY not in given:
        values["people"]["only"] = remembered.people.only
    for name in ("preview", "reel"):
        if f"output.{name}" not in given:
            values["output"][name] = values["output"][name] or name in manifest.extras
    exports = [word for word in get_args(ExportFormat) if word in manifest.extras]
    values["output"]["export"] = list(dict.fromkeys([*values["output"]["export"], *exports]))
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        hint = "the folder remembers the settings it was made with; give both"
        raise SettingsError(str(error), hint=hint) from error


def changed_settings(manifest: Manifest, settings: Settings) -> tuple[SettingsChange, ...]:
    """The settings that would give other clips than those of `manifest`; none where its own are invalid today."""
    remembered = remembered_settings(manifest)
    return () if remembered is None else settings_changes(remembered, settings)


def same_results(manifest: Manifest, settings: Settings) -> bool:
    """Whether `settings` are those that `manifest` records, except where results do not depend on them."""
    remembered = remembered_settings(manifest)
    if remembered is None or remembered.people.only != ascii_safe(settings.people.only):
        return False
    return result_settings(_comparable(remembered)) == result_settings(_comparable(settings))


def settings_changes(remembered: Settings, settings: Settings) -> tuple[SettingsChange, ...]:
    """The differences between two settings that clips depend on."""
    return tuple(_changes(remembered, settings))


def _changes(remembered: Settings, settings: Settings) -> Iterator[SettingsChange]:
    before, after = result_settings(_comparable(remembered)), result_settings(_comparable(settings))
    for section, keys in before.items():
        # As long as clips show people whenever they are visible, finding out who speaks only adds to the results.
        if section == "speech" and remembered.speech.when == settings.speech.when == "visible":
            continue
        for name, value in keys.items():
            if value != after[section][name]:
                yield SettingsChange(section, name, value, after[section][name])
    if remembered.people.only != ascii_safe(settings.people.only):
        yield SettingsChange("people", "only", remembered.people.only, settings.people.only)


def _comparable(settings: Settings) -> Settings:
    return replace(settings, analysis=replace(settings.analysis, device="auto"))
