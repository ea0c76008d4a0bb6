"""Whether anybody is called as `--only` says: a misspelt name would leave every video without a clip."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator
from pathlib import Path

from config import PeopleSettings
from core.errors import GalleryError, OutputError, SettingsError
from processors.known_people.gallery import Gallery
from processors.known_people.people_sources import gallery_path, photo_folder
from processors.known_people.person_names import clean_name, folded
from processors.people.numbered_names import is_numbered
from processors.results.manifest import read_view
from processors.results.manifest_people import ManifestPart
from processors.results.result_tree import result_folders
from processors.results.timeline_file import read_timeline
from utils.console.printable_text import ascii_safe


class _PersonView(ManifestPart, frozen=True, kw_only=True):
    name: str
    known_as: str = ""


class _View(ManifestPart, frozen=True, kw_only=True):
    people: tuple[_PersonView, ...]


def check_only(settings: PeopleSettings, output_dir: Path) -> None:
    """Check that each of the names that `--only` lists is somebody's.

    People are called so by the gallery, by photos or by results in `output_dir`; person_NN may be anybody.

    Raises:
        SettingsError: nobody has one of the names.
    """
    whole = folded(clean_name(settings.only))
    missing = {folded(clean_name(part)): clean_name(part) for part in settings.only.split(",")}
    missing = {key: name for key, name in missing.items() if key and not is_numbered(key)}
    known: dict[str, str] = {}
    for name in _names(settings, output_dir) if missing else ():
        key = folded(clean_name(name))
        known.setdefault(key, name)
        missing.pop(key, None)
        if not missing or key == whole:
            return
    if missing:
        key, name = next(iter(missing.items()))
        if now := _person_now(settings, output_dir, name):
            message = f"--only: {ascii_safe(name)} is {now} now: the two are one person"
            raise SettingsError(message, hint=f"say {now}")
        raise SettingsError(f"--only: nobody is called {ascii_safe(name)!r}", hint=_hint(key, known))


def _person_now(settings: PeopleSettings, output_dir: Path, name: str) -> str:
    """The id that stands for the id `name` since two people were found to be one; "" if there is none."""
    path = gallery_path(settings, output_dir)
    if path is None or not path.exists():
        return ""
    with contextlib.suppress(GalleryError), Gallery(path, for_reading=True) as gallery:
        return gallery.person_now(name)
    return ""


def _hint(key: str, known: dict[str, str]) -> str:
    close = [ascii_safe(known[other]) for other in difflib.get_close_matches(key, known, 3)]
    if close:
        return f"did you mean {' or '.join(map(repr, close))}? main.py people lists everybody"
    if known:
        return "main.py people lists everybody"
    return "names come from photos (--people DIR), or from main.py name after a first run"


def _names(settings: PeopleSettings, output_dir: Path) -> Iterator[str]:
    """What people are called, ids included; what cannot be read is left out, because the run reports it."""
    path = gallery_path(settings, output_dir)
    if path is not None and path.exists():
        with contextlib.suppress(GalleryError), Gallery(path, for_reading=True) as gallery:
            for person in gallery.people():
                yield from filter(None, (person.name, person.id))
    photos = photo_folder(settings)
    if photos is not None:
        from processors.known_people.reference_photos import list_photos  # loads what reads photos

        with contextlib.suppress(OutputError):
            yield from (file.name for file in list_photos(photos)[0])
    folders = result_folders(output_dir)
    for folder in folders:
        view = read_view(folder, _View)
        for one in view.people if view is not None else ():
            yield from filter(None, (one.name, one.known_as))
    # Somebody may have just written a name into timeline.json.
    for folder in folders:
        with contextlib.suppress(SettingsError):
            yield from (entry.name for entry in read_timeline(folder).people)
