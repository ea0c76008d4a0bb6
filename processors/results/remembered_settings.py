"""The settings that a folder was made with: later runs follow them, and contradicting flags are detected."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import msgspec
from msgspec.structs import replace

from config import ExportFormat, Settings, VariantSettings, result_settings
from core.errors import SettingsError
from core.options import flag_of
from core.settings_file import current_names, explain_invalid
from processors.results.manifest import Manifest
from processors.shots.cut_list import is_cut_list
from utils.console.plurals import count_of
from utils.console.printable_text import ascii_safe

ONLY = "people.only"
"""the one setting outside `RESULT_SECTIONS` that decides which clips there are"""

CUTS = "analysis.cuts"
"""a list of all cuts in one line, too long to be shown"""

VARIANT_SECTIONS = ("clip.", "encode.")
SHARED = frozenset({"clip.min_clip", "clip.merge_gap", "clip.min_time"})
"""settings of clips that determine who is shown when, and so affect all sets of clips"""

_ENDS = frozenset({"analysis.end", "analysis.duration"})
"""two ways to give the end: giving one of them overrides the remembered other one"""

_NOT_REMEMBERED = frozenset({"analysis.device"})
"""a GPU and a CPU find the same faces up to rounding, and the next run may be on another machine"""


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """A setting whose value differs from the one that results were made with."""

    section: str
    name: str
    before: Any
    after: Any

    @property
    def may_differ_in_variant(self) -> bool:
        """Whether a further set of clips may have another value."""
        key = f"{self.section}.{self.name}"
        return key.startswith(VARIANT_SECTIONS) and key not in SHARED

    def __str__(self) -> str:
        """What the results were made with, as "aspect 1:1"; the name is that of the flag."""
        if (self.section, self.name) == ("people", "only") and not self.before:
            return "clips of everybody"
        if f"{self.section}.{self.name}" == CUTS:
            return f"{count_of(len(self.before.split()) - 1, 'given cut')}" if self.before else "no given cuts"
        value = ("no", "yes")[self.before] if isinstance(self.before, bool) else str(self.before) or "empty"
        return f"{flag_of(self.name).removeprefix('--')} {ascii_safe(value)}"


def remembered_settings(manifest: Manifest) -> Settings | None:
    """The result settings that `manifest` records, defaults for those that it lacks; None if they are invalid today.

    Keys that this version does not know are left out: another version wrote them.
    """
    known: dict[str, Any] = _known(manifest.settings)
    known["people"] = {"only": manifest.names.only}
    known["variants"] = {name: _known(variant.settings) for name, variant in manifest.variants.items()}
    try:
        settings = msgspec.convert(known, Settings)
    except msgspec.ValidationError:
        return None
    cuts = settings.analysis.cuts
    return settings if not cuts or is_cut_list(cuts) else None


def _known(recorded: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Those settings of `recorded` that this version knows."""
    defaults = result_settings(Settings())
    return {
        section: {key: value for key, value in keys.items() if key in defaults[section]}
        for section, keys in current_names(recorded).items()
        if section in defaults
    }


def followed_settings(manifest: Manifest | None, settings: Settings, given: Collection[str] | None) -> Settings:
    """`settings` for the folder of `manifest`: what is not `given` is taken from the folder's own settings and extras.

    given: names of the settings that the user asks for, "section.name"; None: all of them. With `--variant`, those of
        the sections clip and encode apply to that set of clips alone, and `--overwrite` replaces only that set.

    Raises:
        SettingsError: what is given contradicts what is remembered.
    """
    variant = settings.output.variant
    remembered = None if manifest is None else remembered_settings(manifest)
    if not variant and (remembered is None or given is None):
        kept = {} if remembered is None else remembered.variants
        return replace(settings, variants={**kept, **settings.variants})
    wanted = _all_names(settings) if given is None else frozenset(given)
    if wanted & _ENDS:
        wanted |= _ENDS
    own = frozenset(name for name in wanted if variant and name.startswith(VARIANT_SECTIONS))
    if given is None:
        own -= SHARED
    values = msgspec.to_builtins(settings)
    base = msgspec.to_builtins(remembered or Settings())
    asked = _all_names(settings) if remembered is None else wanted | _NOT_REMEMBERED
    # What a variant has of its own leaves the first set as it was.
    for name in _all_names(settings) - (asked - own):
        section, _, key = name.partition(".")
        values[section][key] = base[section][key]
    values["variants"] = {**base["variants"], **values["variants"]}
    if variant:
        values["variants"][variant] = _variant(values, base["variants"].get(variant), settings, own)
        values["run"]["overwrite"] = False
    if manifest is not None and remembered is not None:
        if ONLY not in wanted:
            values["people"]["only"] = remembered.people.only
        _keep_extras(values["output"], manifest, wanted)
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        hint = "the folder remembers the settings it was made with; give both"
        raise SettingsError(explain_invalid(error, values, None), hint=hint) from error


def _all_names(settings: Settings) -> frozenset[str]:
    sections = result_settings(settings)
    return frozenset(f"{section}.{name}" for section, keys in sections.items() for name in keys)


def _variant(first: dict[str, Any], remembered: dict[str, Any] | None, settings: Settings, own: Collection[str]) -> Any:
    """The settings of a set of clips: those of the first set, then those that it had, then its `own`."""
    if shared := sorted(name for name in own if name in SHARED):
        keys = ", ".join(flag_of(name.partition(".")[2]) for name in shared)
        message = f"{keys} cannot differ between sets of clips: all show the same people at the same times"
        raise SettingsError(
            message, hint="give it in a run without --variant, which sets it for all sets; then add the set"
        )
    result = {section: {**first[section], **(remembered or {}).get(section, {})} for section in ("clip", "encode")}
    for name in own:
        section, _, key = name.partition(".")
        result[section][key] = getattr(getattr(settings, section), key)
    return result


def _keep_extras(output: dict[str, Any], manifest: Manifest, given: Collection[str]) -> None:
    for name in ("preview", "reel"):
        if f"output.{name}" not in given:
            output[name] = output[name] or name in manifest.extras
    exports = [word for word in get_args(ExportFormat) if word in manifest.extras]
    output["export"] = list(dict.fromkeys([*output["export"], *exports]))


def changed_settings(manifest: Manifest, settings: Settings) -> tuple[SettingsChange, ...]:
    """The settings that would give other clips than those of `manifest`; none if its own are invalid today."""
    remembered = remembered_settings(manifest)
    return () if remembered is None else settings_changes(remembered, settings)


def changed_variants(manifest: Manifest, settings: Settings) -> dict[str, tuple[SettingsChange, ...]]:
    """The further sets of clips that `settings` would change, with the changes."""
    remembered = remembered_settings(manifest)
    kept = {} if remembered is None else remembered.variants
    pairs = {name: (kept[name], wanted) for name, wanted in settings.variants.items() if name in kept}
    return {name: changes for name, pair in pairs.items() if (changes := settings_changes(*map(_alone, pair)))}


def same_results(manifest: Manifest, settings: Settings) -> bool:
    """Whether `settings` are those that `manifest` records, except where results do not depend on them."""
    remembered = remembered_settings(manifest)
    if remembered is None or remembered.people.only != ascii_safe(settings.people.only):
        return False
    if remembered.variants != settings.variants:
        return False
    return result_settings(_comparable(remembered)) == result_settings(_comparable(settings))


def settings_changes(remembered: Settings, settings: Settings) -> tuple[SettingsChange, ...]:
    """The differences between two settings that clips depend on."""
    return tuple(_changes(remembered, settings))


def _changes(remembered: Settings, settings: Settings) -> Iterator[SettingsChange]:
    before, after = result_settings(_comparable(remembered)), result_settings(_comparable(settings))
    for section, keys in before.items():
        # As long as clips show people whenever they are visible, analysing speech only adds to the results.
        if section == "speech" and remembered.speech.when == settings.speech.when == "visible":
            continue
        for name, value in keys.items():
            if value != after[section][name]:
                yield SettingsChange(section, name, value, after[section][name])
    if remembered.people.only != ascii_safe(settings.people.only):
        yield SettingsChange("people", "only", remembered.people.only, settings.people.only)


def _comparable(settings: Settings) -> Settings:
    return replace(settings, analysis=replace(settings.analysis, device="auto"))


def _alone(variant: VariantSettings) -> Settings:
    return Settings(clip=variant.clip, encode=variant.encode)
