"""Names the people of all videos of one run, by reference photos and by the gallery.

Naming never fails a video: what cannot be used (a damaged gallery, a photo, missing networks) is one warning, and the
run goes on without it. What looks at photos or faces is imported where it is needed: a run over finished inputs
only asks `is_current`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from config import Settings
from core.errors import GalleryError, ModelError, OutputError
from core.models.embedder_spec import link_curves_of
from core.models.networks.embedder_choice import possible_embedders
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import EmbedderKey, VideoKey
from processors.known_people.known_faces import KnownFaces
from processors.known_people.people_sources import gallery_path, photo_folder
from processors.known_people.person_matching import LinkRules
from processors.known_people.person_names import person_id
from utils.console.plurals import count_of
from utils.fingerprints import Fingerprint

if TYPE_CHECKING:
    from core.analysis_file import AnalysisRecord
    from core.model_manager import ModelManager
    from core.types import Timeline
    from processors.known_people.gallery_types import NamedPhoto
    from processors.known_people.naming_case import NamingCase
    from processors.known_people.video_names import PersonName

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NamedBy:
    """What the names of a result depend on beside the video. An empty string stands for nothing.

    gallery: `Gallery.state`. photos: digest of the folder of photos.
    """

    gallery: str = ""
    photos: str = ""


@dataclass(frozen=True, slots=True)
class VideoNames:
    """The names of a video's people, in the order of the timeline; none where there is nothing to name them by."""

    people: tuple[PersonName, ...] = ()
    named_by: NamedBy = NamedBy()


@dataclass(frozen=True, slots=True)
class FinishedNames:
    """What finished results say about names.

    people: id and name (or "" each) by folder. suggested: ids of those who somebody may be.
    """

    people: Mapping[str, tuple[str, str]]
    named_by: NamedBy
    suggested: frozenset[str] = frozenset()


class VideoNamer(Protocol):
    """Names the people of one video after the other; implemented by `PeopleNamer`."""

    def load_photos(self) -> None:
        """Read the folder of photos, if there is one; to be called before `name`."""
        ...

    def name(
        self, fingerprint: Fingerprint, record: AnalysisRecord, timeline: Timeline, folder: str, *, edited: bool
    ) -> VideoNames:
        """The names of the people of `timeline`; see `PeopleNamer.name`."""
        ...

    def note_clips(self, fingerprint: Fingerprint, clips: Mapping[str, int]) -> None:
        """Say how many clips a finished video has of each person, by folder."""
        ...


class PeopleNamer:
    """One for a run, used by several threads."""

    def __init__(self, settings: Settings, output_dir: Path, models: Callable[[], ModelManager]) -> None:
        """models: called only if photos have to be read.

        Raises:
            SettingsError: --people names no folder.
        """
        self._rules = LinkRules(settings.people.same_name, settings.people.name_margin)
        self._folder = photo_folder(settings.people)
        self._must_have_photos = bool(settings.people.people)
        self._path = gallery_path(settings.people, output_dir)
        self._models = models
        self._embedders = possible_embedders(settings)
        self._lock = threading.Lock()
        self._digest: str | None = None
        self._photos: tuple[NamedPhoto, ...] | None = None
        self._photo_embedder: EmbedderKey | None = None
        self._known: KnownFaces | None = None
        self._broken = False

    @property
    def gallery_path(self) -> Path | None:
        """The file of the gallery; None where there is none, or where it could not be used."""
        return self._path

    def is_current(self, fingerprint: Fingerprint, finished: FinishedNames) -> bool:
        """Whether finished results name people as a run would now. Makes no gallery where there is none."""
        with self._lock:
            digest = self._photo_digest()
            if self._broken:
                return True
            if self._path is None:
                return finished.named_by == NamedBy(photos=digest)
            if finished.named_by.photos != digest or not finished.named_by.gallery or not self._path.exists():
                return False
            named = finished.people
            with self._gallery() as gallery:
                if gallery is not None:
                    found = gallery.names_of(VideoKey(fingerprint, "", "", ""))
                    named = {k: ("" if n is None else person_id(n), name) for k, (n, name) in found.items()}
                    # Results must no longer name or suggest people who were forgotten.
                    if not finished.suggested <= {person_id(number) for number in gallery.numbers()}:
                        return False
            # If they cannot be looked up, the names that the results have are kept.
            return named == finished.people

    def load_photos(self) -> None:
        """Read the folder of photos, unless the gallery knows it as it is. Needs the networks, on the caller's thread.

        To be called before `name`; again, it does nothing.
        """
        with self._lock:
            digest = self._photo_digest()
            if self._folder is None or self._photos is not None:
                return
            place = str(self._folder.resolve())
            with self._gallery() as gallery:
                noted = "" if gallery is None else gallery.photo_digest(place)
            if noted == digest:
                self._photos = ()
                return
            self._photos, embedder = self._read_photos(self._folder)
            self._photo_embedder = embedder
            with self._gallery() as gallery:
                if gallery is not None and embedder is not None:
                    gallery.keep_photos(self._photos, place, embedder)
                    self._known_faces(embedder).settle_photos(gallery)
                    gallery.note_photo_digest(place, digest)

    def name(
        self, fingerprint: Fingerprint, record: AnalysisRecord, timeline: Timeline, folder: str, *, edited: bool
    ) -> VideoNames:
        """The names of the people of `timeline`, and what they follow from.

        folder: of the video's results. edited: somebody edited the timeline; the gallery learns what that says.
        """
        if self._path is None and self._folder is None:
            return VideoNames()
        from processors.known_people.naming_case import naming_case

        return self.decide(naming_case(fingerprint, record, timeline, folder, edited=edited))

    def decide(self, case: NamingCase) -> VideoNames:
        """The names of the people of `case`, and what they follow from."""
        from processors.known_people.gallery_videos import follow_edits
        from processors.known_people.video_names import names_from_gallery

        with self._lock:
            digest = self._photo_digest()
            if case.embedder is None:
                return VideoNames()
            with self._gallery() as gallery:
                if gallery is not None:
                    if case.is_edited:
                        follow_edits(gallery, case.video, case.people, case.divided)
                    names = names_from_gallery(gallery, self._known_faces(case.embedder), case)
                    return VideoNames(tuple(names), NamedBy(gallery.state, digest))
            return VideoNames(tuple(self._names_by_photos(case.embedder, case)), NamedBy(photos=digest))

    def note_clips(self, fingerprint: Fingerprint, clips: Mapping[str, int]) -> None:
        """Tell the gallery how many clips a finished video has of each person, by folder."""
        from processors.known_people.gallery_videos import note_clips

        with self._lock, self._gallery() as gallery:
            if gallery is not None:
                note_clips(gallery, VideoKey(fingerprint, "", "", ""), clips)

    @contextlib.contextmanager
    def _gallery(self) -> Iterator[Gallery | None]:
        """The gallery, opened for each use because a connection belongs to one thread; None where there is none.

        An error within the block becomes a warning, and there is no gallery from then on.
        """
        if self._path is None:
            yield None
            return
        try:
            gallery = Gallery(self._path)
        except GalleryError as error:
            self._give_up(error)
            yield None
            return
        with gallery:
            try:
                yield gallery
            except GalleryError as error:
                self._give_up(error)

    def _give_up(self, error: GalleryError) -> None:
        logger.warning("%s; continuing without it: nobody is remembered in this run", error)
        self._path, self._broken = None, True

    def _known_faces(self, embedder: EmbedderKey) -> KnownFaces:
        if self._known is None or self._known.embedder != embedder:
            self._known = KnownFaces(embedder, link_curves_of(embedder.name), self._rules)
        return self._known

    def _photo_digest(self) -> str:
        if self._digest is None:
            try:
                self._digest = "" if self._folder is None else folder_digest(self._folder, self._embedders)
            except OSError as error:
                logger.warning("%s: the folder of photos cannot be read: %s", self._folder, error.strerror or error)
                self._folder, self._digest = None, ""
            if self._folder is not None and not self._digest and self._must_have_photos:
                hint = "it needs one per person: Anna.jpg, or Anna/*.jpg"
                logger.warning("%s: has no photos, so it names nobody (%s)", self._folder, hint)
        return self._digest

    def _read_photos(self, folder: Path) -> tuple[tuple[NamedPhoto, ...], EmbedderKey | None]:
        """The photos, and the network that saw them; None where they cannot be read."""
        from processors.known_people.naming_case import embedder_key
        from processors.known_people.reference_photos import read_reference_photos

        try:
            models = self._models()
            found = read_reference_photos(folder, models)
        except (ModelError, OutputError) as error:
            logger.warning("the photos in %s cannot be used to name people: %s", folder, error)
            return (), None
        for line in found.lines:
            logger.warning("%s: %s", folder.name, line)
        people = count_of(len({photo.name for photo in found.photos}), "person", "people")
        logger.info("%s: %s of %s", folder, count_of(len(found.photos), "photo"), people)
        return found.photos, embedder_key(models.describe())

    def _names_by_photos(self, embedder: EmbedderKey, case: NamingCase) -> Sequence[PersonName]:
        if not self._photos:
            return ()
        if embedder != self._photo_embedder:
            logger.warning("%s: was analysed with a different network than the photos", case.video.name)
            return ()
        from processors.known_people.video_names import names_from_photos

        return names_from_photos(self._photos, embedder, case, self._rules)


def folder_digest(folder: Path, embedders: Sequence[str]) -> str:
    """64 hexadecimal digits for the files in a folder of photos, and for the networks that may look at them.

    "" for a folder without files; hidden ones do not count.

    A file counts by path, size and time of its last change, so that a thousand photos take milliseconds.

    Raises:
        OSError: the folder cannot be listed.
    """
    digest = hashlib.sha256(",".join(embedders).encode())
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                with contextlib.suppress(OSError), os.scandir(entry.path) as inner:
                    found += [(f"{entry.name}/{file.name}", file.stat()) for file in inner if file.is_file()]
            elif entry.is_file():
                found.append((entry.name, entry.stat()))
    if not found:
        return ""
    for name, status in sorted(found, key=lambda pair: pair[0]):
        digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
