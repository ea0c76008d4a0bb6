"""What a debug bundle must not reveal: names given to people, and names of folders."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from config import Settings
from core.errors import PipelineError
from core.project_folders import PROJECT
from processors.people.numbered_names import is_numbered
from utils.console.redaction import Redactor


def given_names(manifests: Iterable[Path], settings: Settings, output_dir: Path) -> dict[str, str]:
    """The replacement of each name that the user gave to a person: "named_01", ...

    manifests: those of the run's videos; unreadable ones are left out.
    """
    given: list[str] = []
    for file in manifests:
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
            for person in json.loads(file.read_bytes())["people"]:
                suggestion = (person.get("match") or {}).get("suggestion") or {}
                found = (person["name"], person.get("known_as"), suggestion.get("name"))
                given += [str(name) for name in found if name]
    given += [settings.people.only, *settings.people.only.split(","), *_known_names(settings, output_dir)]
    names = dict.fromkeys(name for name in map(str.strip, given) if name and not is_numbered(name))
    return {name: f"named_{number:02d}" for number, name in enumerate(names, 1)}


def named_folders(settings: Settings, output_dir: Path) -> dict[str, Path]:
    """The folders that the settings name, by their purpose; files stand for themselves."""
    run, people = settings.run, settings.people
    named = {"cache": run.cache_dir, "scratch": run.scratch, "people": people.people, "gallery": people.gallery}
    weights = {Path(file).parent for file in (run.facenet_weights, *run.speech_weights) if Path(file).is_absolute()}
    cuts = Path(settings.analysis.cuts)
    if cuts.is_absolute():
        named["cuts"] = str(cuts if cuts.is_dir() else cuts.parent)
    folders = {"output": output_dir, **{name: Path(path) for name, path in named.items() if path}}
    return folders | {f"weights {number}": folder for number, folder in enumerate(sorted(weights), 1)}


def bundle_redactor(
    inputs: Iterable[Path], bundle: Path, folders: Mapping[str, Path], names: Mapping[str, str]
) -> Redactor:
    """Replaces folders by their purpose and names by numbers.

    inputs: the videos. bundle: file of the bundle. folders: from `named_folders`. names: from `given_names`.
    """
    purposes = {path.parent: "<input>" for path in inputs}
    purposes |= {
        bundle.parent: "<bundle>",
        Path.cwd(): "<here>",
        Path(tempfile.gettempdir()): "<temporary>",
        Path(os.path.expanduser("~")): "~",  # noqa: PTH111 - Path.home() raises where there is none
        Path(sys.prefix): "<python>",
        PROJECT: "<program>",
    }
    return Redactor(purposes | {path: f"<{name}>" for name, path in folders.items()}, names)


def redacted_log(text: str, redactor: Redactor) -> str:
    """A redacted log of JSON lines; lines that are not JSON are treated as text."""
    lines = []
    for line in text.splitlines():
        try:
            # JSON escapes would hide a folder from the redactor.
            lines.append(json.dumps(redactor.value(json.loads(line))))
        except ValueError:
            lines.append(redactor.text(line))
    return "".join(f"{line}\n" for line in lines)


def without_folder(argument: str) -> str:
    """A command-line argument without the folder of the file that it names."""
    head, equals, value = argument.partition("=") if argument.startswith("-") else ("", "", argument)
    # Inputs may not be known yet, so the redactor does not know their folders.
    shown = "<folder>" if value and Path(value).is_dir() else Path(value).name if os.sep in value else value
    return head + equals + shown


def _known_names(settings: Settings, output_dir: Path) -> Iterator[str]:
    """The names in the gallery and of the photos that name people."""
    from processors.known_people.gallery import Gallery
    from processors.known_people.people_sources import gallery_path, photo_folder
    from processors.known_people.reference_photos import list_photos

    with contextlib.suppress(PipelineError):
        path = gallery_path(settings.people, output_dir)
        if path is not None and path.exists():
            with Gallery(path, for_reading=True) as gallery:
                yield from [person.name for person in gallery.people()]
    with contextlib.suppress(PipelineError):
        if (folder := photo_folder(settings.people)) is not None:
            yield from [photo.name for photo in list_photos(folder)[0]]
