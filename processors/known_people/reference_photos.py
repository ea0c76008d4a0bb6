"""The folder of photos that name people: `Anna.jpg` or `Anna/*.jpg`. Who is on them, and what is wrong with which.

No photo that leaves a doubt names anybody: several faces, none, a blurred or tiny one, or one that does not look like
the other photos of the same name. Each gets a line that says what to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from core.errors import OutputError, PhotoError, SettingsError
from core.model_manager import ModelManager
from core.models.embedder_spec import link_curves_of
from core.models.link_curve import LinkCurve
from processors.known_people.face_evidence import as_log_odds, as_similarity, log_odds
from processors.known_people.gallery_types import GalleryFace, NamedPhoto
from processors.known_people.person_matching import LinkRules
from processors.known_people.person_names import checked_name, clean_name, folded
from processors.known_people.photo_batch import see_photos
from processors.known_people.photo_faces import PhotoFace
from processors.known_people.photo_reader import PHOTO_EXTENSIONS, Photo
from processors.known_people.sharpness import sharpness
from utils.console.plurals import count_of
from utils.console.printable_text import ascii_safe

MIN_REFERENCE_FACE_PX = 60.0
"""height of a face in a photo below which it is too small to name anybody by it"""
MIN_REFERENCE_SHARPNESS = 0.05
"""a photo less sharp than this is of no use; one that is only soft still is"""
DOMINANT = 2.0
"""how much higher than the next face one must be to be the one that the photo is of"""
ALIKE = 0.2
"""similarity to the other photos of a name below which a photo shows somebody else, or too little"""
ONE_PERSON = LinkRules().similarity
"""similarity from which on photos of two names show one person"""

Use = Literal["used", "left out"]


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A file of the folder. name: whom it is to name."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class PhotoLine:
    """What is to be said of a file, and what to do about it: "" where nothing is."""

    path: Path
    use: Use
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{ascii_safe(self.path.name)}: {self.use}: {self.message}{hint}"


@dataclass(frozen=True, slots=True, eq=False)
class ReferencePhotos:
    """What the folder says.

    photos: those that name somebody, by name. crops: for each of them the JPEG of the very pixels that were compared.
    lines: of every file that leaves something to be said, in the order of the files.
    """

    photos: tuple[NamedPhoto, ...]
    crops: tuple[bytes, ...]
    lines: tuple[PhotoLine, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    file: PhotoFile
    sha256: str
    face: PhotoFace
    note: str


def read_reference_photos(folder: Path, models: ModelManager) -> ReferencePhotos:
    """Read the photos in `folder`.

    Raises:
        OutputError: the folder cannot be listed.
        ModelError: a network cannot be had.
    """
    files, lines = list_photos(folder)
    candidates: list[_Candidate] = []
    for file, seen in zip(files, see_photos([file.path for file in files], models), strict=True):
        if seen.photo is None:
            error = seen.error or PhotoError("cannot be read")
            lines.append(PhotoLine(file.path, "left out", error.message, error.hint))
            continue
        chosen = choose_face(file, seen.photo, seen.faces)
        if isinstance(chosen, PhotoLine):
            lines.append(chosen)
        else:
            candidates.append(_Candidate(file, seen.photo.sha256, *chosen))
    curve = link_curves_of(models.embedder.name).same_kind
    kept, odd = _consistent(candidates, curve)
    lines += odd
    lines += [PhotoLine(c.file.path, "used", c.note) for c in kept if c.note]
    lines += _people_with_two_names(kept, curve)
    left_out = {line.path for line in lines if line.use == "left out"}
    lines = [line for line in lines if line.use == "left out" or line.path not in left_out]
    order = {file.path: number for number, file in enumerate(files)}
    lines.sort(key=lambda line: (order.get(line.path, -1), str(line.path)))
    place = str(folder.resolve())
    photos = tuple(
        NamedPhoto(c.file.name, c.sha256, place, GalleryFace(c.face.vector, c.face.quality, c.face.crop_jpeg))
        for c in kept
    )
    return ReferencePhotos(photos, tuple(c.face.crop_jpeg for c in kept), tuple(lines))


def list_photos(folder: Path) -> tuple[list[PhotoFile], list[PhotoLine]]:
    """The photos in `folder` and in its folders, by name; and what else lies there, or has no name that can be used.

    Names that differ only in case are one name, spelled as the first of them.

    Raises:
        OutputError: the folder cannot be listed.
    """
    files: list[PhotoFile] = []
    lines: list[PhotoLine] = []
    spelling: dict[str, str] = {}
    for path, raw in _entries(folder):
        if path.suffix[1:].lower() not in PHOTO_EXTENSIONS:
            lines.append(PhotoLine(path, "left out", "is not a photo", "photos end in .jpg, .png, .webp or .heic"))
            continue
        try:
            name = checked_name(raw)
        except SettingsError as error:
            lines.append(PhotoLine(path, "left out", error.message, "rename it to the person's name"))
            continue
        first = spelling.setdefault(folded(name), name)
        if first != name:
            message = f"{ascii_safe(name)} and {ascii_safe(first)} count as one person"
            lines.append(PhotoLine(path, "used", message, "give one of them another name if they are two"))
        files.append(PhotoFile(first, path))
    return files, lines


def choose_face(file: PhotoFile, photo: Photo, faces: Sequence[PhotoFace]) -> tuple[PhotoFace, str] | PhotoLine:
    """The face that the photo is of, with a note ("" mostly); or why there is none. faces: the largest first."""

    def left_out(message: str, hint: str) -> PhotoLine:
        return PhotoLine(file.path, "left out", message, hint)

    name = ascii_safe(file.name)
    if not faces:
        return left_out("no face was found", f"take one in which {name} faces the camera")
    first = faces[0]
    if len(faces) > 1 and first.height_px < DOMINANT * faces[1].height_px:
        return left_out(f"it shows {count_of(len(faces), 'face')}", f"cut it to the face of {name}")
    if first.height_px < MIN_REFERENCE_FACE_PX:
        return left_out(
            f"the face is {first.height_px:.0f} px high, less than {MIN_REFERENCE_FACE_PX:.0f}", "take a larger photo"
        )
    sharp = sharpness(photo.pixels, [np.asarray(first.box / np.tile(photo.scale, 2), np.float32)])
    if sharp < MIN_REFERENCE_SHARPNESS:
        return left_out("the face is blurred", "take a sharper photo")
    note = f"the largest of {count_of(len(faces), 'face')} was taken" if len(faces) > 1 else ""
    return first, note


def _entries(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files with the name that they are to give, by path; nothing hidden, nothing of other programs."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: (folded(clean_name(entry.name)), entry.name))
    except OSError as error:
        raise OutputError(f"the folder of photos cannot be read: {error.strerror}", path=folder) from error
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.name.lower() in ("thumbs.db", "desktop.ini", "readme.md", "readme.txt"):
            continue
        if not entry.is_dir():
            yield path, path.stem
            continue
        try:
            inner = sorted(path.iterdir())
        except OSError:
            continue
        yield from ((file, entry.name) for file in inner if not file.name.startswith(".") and not file.is_dir())


def _consistent(candidates: Sequence[_Candidate], curve: LinkCurve) -> tuple[list[_Candidate], list[PhotoLine]]:
    """Those that look like the other photos of their name, and lines about the others."""
    kept: list[_Candidate] = []
    lines: list[PhotoLine] = []
    for name in dict.fromkeys(candidate.file.name for candidate in candidates):
        own = [candidate for candidate in candidates if candidate.file.name == name]
        alike = np.array([[_alike(a, b, curve) for b in own] for a in own])
        # The photo that most others resemble is the person; of two that differ, the first.
        middle = int((alike >= ALIKE).sum(1).argmax())
        for row, candidate in enumerate(own):
            if alike[row, middle] >= ALIKE:
                kept.append(candidate)
                continue
            message = f"it does not look like {ascii_safe(own[middle].file.path.name)} ({alike[row, middle]:.2f})"
            hint = f"if it is {ascii_safe(name)}, take a clearer one; if not, give it another name"
            lines.append(PhotoLine(candidate.file.path, "left out", message, hint))
    return kept, lines


def _people_with_two_names(kept: Sequence[_Candidate], curve: LinkCurve) -> Iterator[PhotoLine]:
    """Lines about people who have two names: each is a rival of the other, so that neither name is ever given."""
    if not kept:
        return
    vectors = np.stack([candidate.face.vector for candidate in kept])
    near = np.argwhere(np.triu(vectors @ vectors.T, 1) >= curve.least_cosine(as_log_odds(ONE_PERSON)))
    told: set[tuple[str, str]] = set()
    for first, second in near.tolist():
        a, b = kept[first], kept[second]
        names = (a.file.name, b.file.name)
        if a.file.name == b.file.name or names in told or _alike(a, b, curve) < ONE_PERSON:
            continue
        told.add(names)
        yield PhotoLine(
            b.file.path,
            "used",
            f"shows the same person as {ascii_safe(a.file.path.name)}",
            "give both photos one name; with two, nobody is named by them",
        )


def _alike(a: _Candidate, b: _Candidate, curve: LinkCurve) -> float:
    return 1.0 if a is b else as_similarity(log_odds(a.face.face_set, b.face.face_set, curve))
