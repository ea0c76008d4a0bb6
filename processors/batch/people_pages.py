"""people.json and people.html of an output folder: everybody in its videos, by person instead of by video."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import GalleryError, OutputError
from core.models.embedder_spec import link_curves_of
from core.project_folders import OUTPUT_DIR
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import Appearance, GalleryPerson
from processors.known_people.known_faces import KnownFaces
from processors.known_people.people_list import PEOPLE_FILE, write_people_file
from processors.known_people.people_sources import GALLERY_FILE
from processors.pages.html_page import has_state, is_our_page
from processors.pages.people_page import (
    PEOPLE_PAGE,
    PageClip,
    PagePair,
    PagePerson,
    PageVideo,
    people_parts,
    people_state,
)
from processors.results.manifest import read_view
from processors.results.manifest_people import ManifestDoubt, ManifestPart
from processors.results.output_leases import gallery_lease
from utils.console.printable_text import ascii_safe
from utils.files import write_parts

logger = logging.getLogger(__name__)

_FACES_SHOWN = 6
_PAIRS_SHOWN = 24
_PAIRED_UP_TO = 2000
"""people; among more of them the search for pairs would take longer than the rest of the page"""


class _PageClipView(ManifestPart, frozen=True, kw_only=True):
    person: str
    file: str
    start_s: float
    end_s: float


class _PagePersonView(ManifestPart, frozen=True, kw_only=True):
    name: str
    tracklets: tuple[int, ...]
    doubt: ManifestDoubt = ManifestDoubt()


class _PageView(ManifestPart, frozen=True, kw_only=True):
    """The part of a manifest that the page needs."""

    people: tuple[_PagePersonView, ...]
    clips: tuple[_PageClipView, ...]


@dataclass(frozen=True, slots=True)
class _Folders:
    """The manifests of the output folder, read once each and only in part."""

    output_dir: Path
    views: dict[str, _PageView | None]

    def view(self, folder: str) -> _PageView | None:
        if folder not in self.views:
            self.views[folder] = read_view(self.output_dir / folder, _PageView)
        return self.views[folder]


def write_people_pages(output_dir: Path, gallery_path: Path) -> None:
    """Write people.json and people.html about everybody whom the gallery knows from results in `output_dir`.

    Nothing is written where there is no gallery, or none that can be read now; that is a warning.

    Raises:
        OSError: they cannot be written.
    """
    if not gallery_path.exists():
        return
    try:
        with gallery_lease(gallery_path, output_dir), Gallery(gallery_path, for_reading=True) as gallery:
            folders = _Folders(output_dir, {})
            people = list(shown_people(gallery, folders))
            write_people_file(output_dir / PEOPLE_FILE, people)
            _write_page(output_dir / PEOPLE_PAGE, gallery, people, folders)
    except (GalleryError, OutputError) as error:
        logger.warning("%s; %s and %s are not up to date", error, PEOPLE_FILE, PEOPLE_PAGE)


def refresh_people_pages(output_dir: Path, gallery_path: Path) -> None:
    """`write_people_pages` for commands that change the gallery.

    Raises:
        OutputError: they cannot be written.
    """
    if not output_dir.is_dir():
        return
    try:
        write_people_pages(output_dir, gallery_path)
    except OSError as error:
        raise OutputError(f"cannot write the pages: {error.strerror or error}", path=output_dir) from error


def place_flags(output_dir: Path, gallery_path: Path) -> str:
    """The flags by which commands find `output_dir` and its gallery, for a POSIX shell; "" where they need none."""
    flags = []
    if output_dir.resolve() != OUTPUT_DIR.resolve():
        flags += ["-o", str(output_dir.absolute())]
    if gallery_path.resolve() != (output_dir / GALLERY_FILE).resolve():
        flags += ["--gallery", str(gallery_path.absolute())]
    return ascii_safe(shlex.join(flags))


def shown_people(gallery: Gallery, folders: _Folders) -> Iterator[GalleryPerson]:
    """The people of the gallery with those of their appearances whose results lie in the output folder."""
    for person in gallery.people():
        here = tuple(a for a in person.appearances if _entry(a, folders) is not None)
        if here:
            yield replace(person, appearances=here)


def _entry(appearance: Appearance, folders: _Folders) -> _PagePersonView | None:
    """The person in the manifest; another name than the gallery's stands there until the next run."""
    view = folders.view(appearance.folder)
    own = set(appearance.tracklets)
    found = [person for person in view.people if own & set(person.tracklets)] if view is not None else []
    return max(found, key=lambda person: len(own & set(person.tracklets)), default=None)


def _write_page(path: Path, gallery: Gallery, people: Sequence[GalleryPerson], folders: _Folders) -> None:
    if path.exists() and not is_our_page(path):
        logger.warning("%s was not made by this program and is left alone", path)
        return
    shown = sorted(people, key=lambda p: (not p.name, p.name.casefold(), p.number))
    by_number = {person.number: person for person in people}
    pairs = list(_pairs(gallery, by_number, folders)) if len(people) <= _PAIRED_UP_TO else []
    flags = place_flags(folders.output_dir, gallery.file.path)
    state = people_state((_page_person(person, gallery, folders) for person in shown), pairs, flags)
    if has_state(path, state):
        return
    people_shown = (_page_person(person, gallery, folders) for person in shown)
    write_parts(path, people_parts(people_shown, len(shown), pairs, place_flags=flags, state=state))


def _page_person(person: GalleryPerson, gallery: Gallery, folders: _Folders) -> PagePerson:
    return PagePerson(
        person.id,
        person.name,
        gallery.thumbnails(person.number, _FACES_SHOWN),
        tuple(_videos(person.appearances, folders)),
        person.photos,
    )


def _videos(appearances: Iterable[Appearance], folders: _Folders) -> Iterator[PageVideo]:
    for appearance in appearances:
        view, entry = folders.view(appearance.folder), _entry(appearance, folders)
        if view is None or entry is None:
            continue
        clips = tuple(
            PageClip(f"{appearance.folder}/{clip.file}", clip.start_s, clip.end_s)
            for clip in view.clips
            if clip.person == entry.name
        )
        yield PageVideo(appearance.folder, appearance.video, entry.name, appearance.on_screen_s, clips)


def _pairs(gallery: Gallery, people: dict[int, GalleryPerson], folders: _Folders) -> Iterator[PagePair]:
    def at_most(first: int, second: int) -> float:
        return min(_within_videos(people.get(first), people.get(second), folders), default=1.0)

    for embedder in gallery.embedders():
        known = KnownFaces(embedder, link_curves_of(embedder.name))
        for pair in known.suggest_pairs(gallery, _PAIRS_SHOWN, at_most):
            first, second = people.get(pair.first), people.get(pair.second)
            if first is None or second is None:
                continue
            # The name stays, so the one with a name comes first.
            kept, other = (second, first) if second.name and not first.name else (first, second)
            yield PagePair(
                kept.id,
                kept.name,
                next(iter(gallery.thumbnails(kept.number, 1)), b""),
                other.id,
                other.name,
                next(iter(gallery.thumbnails(other.number, 1)), b""),
                pair.similarity,
            )


def _within_videos(first: GalleryPerson | None, second: GalleryPerson | None, folders: _Folders) -> Iterator[float]:
    """How alike two people are at most in each video that shows both, by all evidence of the video.

    There they were told apart by more than the gallery knows: clothes, places, and how little blurred faces say. A
    manifest tells the nearest person only; everybody else is less alike.
    """
    if first is None or second is None:
        return
    for one in first.appearances:
        for other in (appearance for appearance in second.appearances if appearance.folder == one.folder):
            a, b = _entry(one, folders), _entry(other, folders)
            if a is not None and b is not None:
                yield min(_to_the_nearest(a), _to_the_nearest(b))


def _to_the_nearest(person: _PagePersonView) -> float:
    """How like the most similar other person of the video somebody is; 1 where that is not known."""
    similarity = person.doubt.nearest_similarity
    return 1.0 if similarity is None else similarity
