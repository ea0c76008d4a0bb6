"""What the results of a call depend on besides the videos; calls that share an output folder compare it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from config import VERSION, Settings, result_settings
from core.models.embedder_spec import embedder_digest
from core.models.networks.embedder_choice import possible_embedders
from core.options import flag_of
from core.project_folders import PROJECT
from utils.console.printable_text import ascii_safe

_SOURCES = ("config.py", "core/**/*.py", "processors/**/*.py", "utils/**/*.py")
_DIGEST_DIGITS = 12
_LONGEST_VALUE = 60
_MAX_SETTINGS = 30
"""beyond that, a digest of all of them stands for them: a lease is a small file"""
_NOT_COMPARED = ("analysis.device", "analysis.embedder")
"""a GPU and a CPU find the same faces up to rounding; instead of the setting, the available embedders are compared"""


def call_terms(settings: Settings) -> dict[str, str]:
    """Version, code, networks for faces, and every setting of results that is not the default, as short texts."""
    embedders = possible_embedders(settings)
    terms = {
        "version": VERSION,
        "code": program_digest(),
        "embedder": " or ".join(embedders),
        "weights": _short_digest("".join(map(embedder_digest, embedders))),
    }
    changed = _changed_settings(settings)
    if len(changed) > _MAX_SETTINGS:
        changed = {"settings": _short_digest(repr(sorted(changed.items())))}
    return terms | {name: _shortened(text) for name, text in changed.items()}


def term_differences(theirs: Mapping[str, str], ours: Mapping[str, str]) -> list[str]:
    """How the terms of another call differ: "aspect 1:1 (here 9:16)". A setting that is not named has its default."""
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [
        ascii_safe(f"{_shown(name)} {theirs.get(name, 'default')} (here {ours.get(name, 'default')})")
        for name in names
        if theirs.get(name) != ours.get(name)
    ]


def _shown(name: str) -> str:
    section, _, key = name.partition(".")
    return flag_of(key).removeprefix("--") if key else section


def _changed_settings(settings: Settings) -> dict[str, str]:
    values, defaults = result_settings(settings), result_settings(Settings())
    found = {
        f"{section}.{key}": str(value)
        for section, keys in values.items()
        for key, value in keys.items()
        if value != defaults[section][key] and f"{section}.{key}" not in _NOT_COMPARED
    }
    if settings.variants:
        found["variants"] = str(msgspec.to_builtins(settings.variants))
    if settings.output.extras:
        found["extras"] = ",".join(sorted(settings.output.extras))
    return found


def program_digest(project: Path = PROJECT) -> str:
    """12 hexadecimal digits for the program's source files; without a look at what depends on what."""
    digest = hashlib.sha256()
    for path in _files(project):
        digest.update(path.relative_to(project).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_DIGEST_DIGITS]


def _files(project: Path) -> Iterable[Path]:
    return sorted(path for pattern in _SOURCES for path in project.glob(pattern))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else _short_digest(text)


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]
