"""A folder of photos sorted: who is in each, and whether it is sharp. The originals' contents are never touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from core.errors import OutputError
from core.model_manager import ModelManager
from core.models.embedder_spec import link_curves_of
from core.models.link_curve import LinkCurves
from processors.known_people.person_matching import KnownPerson, LinkRules, Match, VideoPerson, link_people
from processors.known_people.person_names import clean_name, person_id
from processors.known_people.photo_batch import SeenPhoto, see_photos
from processors.known_people.photo_reader import PHOTO_EXTENSIONS
from processors.known_people.sharpness import sharpness
from utils.console.printable_text import ascii_safe
from utils.files import safe_name

SHARP = 0.5
"""sharpness from which a photo counts as sharp"""
BLURRED_FOLDER, NOBODY_FOLDER, UNKNOWN_FOLDER = "blurred", "nobody", "unknown people"


class SortedFace(msgspec.Struct, frozen=True, kw_only=True):
    """A face. box: x1, y1, x2, y2 in px of the upright photo. person: name or id, None where it is nobody known."""

    box: tuple[int, int, int, int]
    person: str | None
    similarity: float


class SortedPhoto(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of `photos --json`. sharpness: [0, 1], 0.5 or more is sharp. error: why it could not be read."""

    file: str
    sharp: bool | None
    sharpness: float | None
    faces: tuple[SortedFace, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a photo belongs in the sorted folder: `target` is new, whatever lies there."""

    source: Path
    target: Path


def find_photos(folder: Path) -> list[Path]:
    """All photos below `folder`, sorted, links to folders not followed.

    Raises:
        OutputError: it cannot be read.
    """
    if not folder.is_dir():
        raise OutputError("is not a folder of photos", path=folder)
    found = []
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(base, name)
            for name in names
            if Path(name).suffix[1:].lower() in PHOTO_EXTENSIONS and not name.startswith(".")
        ]
    return sorted(found)


def examine_photos(
    paths: Sequence[Path],
    folder: Path,
    models: ModelManager,
    known: Sequence[KnownPerson],
    rules: LinkRules | None = None,
) -> Iterator[tuple[SortedPhoto, SeenPhoto]]:
    """What is in each photo, in the order of `paths`. known: who may be in them, from photos or from the gallery.

    Raises:
        ModelError: a network cannot be had.
    """
    # The photos that are sorted are not chosen: blurred ones are among them.
    curves = LinkCurves.one(link_curves_of(models.embedder.name).same_kind)
    for seen in see_photos(paths, models):
        file = ascii_safe(os.path.relpath(seen.path, folder))
        if seen.photo is None:
            yield SortedPhoto(file=file, sharp=None, sharpness=None, faces=(), error=str(seen.error)), seen
            continue
        scale = np.tile(seen.photo.scale, 2)
        sharp = sharpness(seen.photo.pixels, [np.asarray(face.box / scale, np.float32) for face in seen.faces])
        matches = _who(seen, known, curves, rules)
        names = {person.number: ascii_safe(person.name) or person_id(person.number) for person in known}
        faces = tuple(
            SortedFace(
                box=(
                    round(float(face.box[0])),
                    round(float(face.box[1])),
                    round(float(face.box[2])),
                    round(float(face.box[3])),
                ),
                person=None if match.number is None else names[match.number],
                similarity=match.similarity,
            )
            for face, match in zip(seen.faces, matches, strict=True)
        )
        yield SortedPhoto(file=file, sharp=sharp >= SHARP, sharpness=sharp, faces=faces), seen


def photo_lines(photos: Iterable[SortedPhoto]) -> Iterator[str]:
    """A table for a terminal, header first."""
    yield "sharp  people                          file"
    for photo in photos:
        people = ", ".join(face.person or "?" for face in photo.faces) or "-"
        if photo.error:
            yield f"{'-':<5}  {'-':<30}  {photo.error}"
        else:
            yield f"{'yes' if photo.sharp else 'no':<5}  {people:<30}  {photo.file}"


def plan_sorting(photos: Sequence[tuple[SortedPhoto, Path]], out: Path, *, every_person: bool) -> list[Placement]:
    """Where each photo goes below `out`: a folder for each person, and for blurred ones and for those with nobody.

    Photos that cannot be read stay where they are. No two get one name, in upper and lower case either; what lies in
    `out` already is not overwritten.

    Args:
        photos: what is in them, with their paths.
        every_person: a photo of several people goes into all their folders, else into the one of the largest face.
    """
    taken: set[str] = set()
    plan = []
    for photo, path in photos:
        if photo.error:
            continue
        for folder in _folders(photo, every_person=every_person):
            plan.append(Placement(path, _free(out / folder / safe_name(path.name, limit_bytes=200), taken)))
    return plan


def carry_out(plan: Sequence[Placement], how: Literal["move", "link"]) -> Iterator[Placement]:
    """Move the photos, or make links to them; yields what is done.

    Raises:
        OutputError: something cannot be written; what was done before stays done, and every photo is somewhere.
    """
    for placement in plan:
        try:
            placement.target.parent.mkdir(parents=True, exist_ok=True)
            if placement.target.exists() or placement.target.is_symlink():
                raise FileExistsError(17, "something of that name has just been put there")
            if how == "link":
                placement.target.symlink_to(placement.source.resolve())
            else:
                shutil.move(placement.source, placement.target)
        except OSError as error:
            raise OutputError(
                f"cannot {how} the photo: {error.strerror or error}", path=placement.source, stage="photos"
            ) from error
        yield placement


def _who(seen: SeenPhoto, known: Sequence[KnownPerson], curves: LinkCurves, rules: LinkRules | None) -> list[Match]:
    labels = [str(number) for number in range(len(seen.faces))]
    people = [
        VideoPerson(label, face.face_set, frozenset(labels) - {label})
        for label, face in zip(labels, seen.faces, strict=True)
    ]
    found = link_people(people, known, curves, rules)
    return [found[label] for label in labels]


def _folders(photo: SortedPhoto, *, every_person: bool) -> list[str]:
    if not photo.sharp:
        return [BLURRED_FOLDER]
    if not photo.faces:
        return [NOBODY_FOLDER]
    people = list(dict.fromkeys(safe_name(clean_name(face.person)) for face in photo.faces if face.person))
    if not people:
        return [UNKNOWN_FOLDER]
    return people if every_person else people[:1]


def _free(wanted: Path, taken: set[str]) -> Path:
    path, number = wanted, 1
    while str(path).casefold() in taken or path.exists() or path.is_symlink():
        number += 1
        path = wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
    taken.add(str(path).casefold())
    return path
