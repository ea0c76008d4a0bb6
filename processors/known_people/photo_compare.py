"""Compares one photo with others: how similar each of their faces is to the one in the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import cv2
import msgspec

from core.errors import PhotoError
from core.model_manager import ModelManager
from core.models.similarity import Similarity
from core.types import ByteArray, FloatArray
from processors.known_people.person_names import folder_names
from processors.known_people.photo_batch import SeenPhoto, see_photos
from utils.console.printable_text import ascii_safe
from utils.images.rgb_images import fit_within
from utils.images.text_drawing import draw_text

SAME_PERSON = 0.5
"""similarity from which two photos show one person: as likely the same as not"""
DRAWN_SIDE_PX = 1600
_SAME_COLOR, _OTHER_COLOR = (40, 200, 90), (220, 70, 60)


class ComparedFace(msgspec.Struct, frozen=True, kw_only=True):
    """A face of the target. box: x1, y1, x2, y2 in px of the upright photo."""

    box: tuple[int, int, int, int]
    similarity: float
    same: bool


class Comparison(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One target. error: why it could not be read, left out where it could. An entry of `compare --json`."""

    source: str
    target: str
    faces: tuple[ComparedFace, ...]
    error: str = ""


def compare_photos(
    source: Path, targets: Sequence[Path], models: ModelManager
) -> Iterator[tuple[Comparison, SeenPhoto]]:
    """Compare the largest face of `source` with every face of every target, in their order.

    Raises:
        PhotoError: the source cannot be read or shows no face.
        ModelError: a network cannot be had.
    """
    similarity = Similarity.for_embedder(models.embedder.name)
    with closing(see_photos([source, *targets], models)) as photos:
        wanted = next(photos)
        if wanted.error is not None:
            raise wanted.error
        if not wanted.faces:
            hint = "take a photo in which the face is larger and seen from the front"
            raise PhotoError("no face was found", path=source, stage="photo", hint=hint)
        vector = wanted.faces[0].vector
        for seen in photos:
            yield _comparison(source, seen, vector, similarity), seen


def _comparison(source: Path, seen: SeenPhoto, vector: FloatArray, similarity: Similarity) -> Comparison:
    faces = tuple(
        ComparedFace(
            box=face.whole_box,
            similarity=(alike := round(float(similarity.from_cosine(float(face.vector @ vector))), 4)),
            same=alike >= SAME_PERSON,
        )
        for face in seen.faces
    )
    error = str(seen.error) if seen.error is not None else ""
    return Comparison(source=ascii_safe(str(source)), target=ascii_safe(str(seen.path)), faces=faces, error=error)


def comparison_lines(comparisons: Iterable[Comparison]) -> Iterator[str]:
    """A table for a terminal, header first: one line per face, or one that says why there is none."""
    yield "same  similarity  target"
    for comparison in comparisons:
        if not comparison.faces:
            yield f"{'-':<4}  {'':>10}  {comparison.error or f'{comparison.target}: no face was found'}"
        for face in comparison.faces:
            where = ",".join(str(value) for value in face.box)
            yield f"{'yes' if face.same else 'no':<4}  {face.similarity:>10.2f}  {comparison.target} at {where}"


def drawing_names(targets: Sequence[Path]) -> list[str]:
    """A file name for the drawing of each target, all different, none of them that of a photo."""
    return [f"{name}_compared.jpg" for name in folder_names([target.stem for target in targets])]


def draw_comparison(seen: SeenPhoto, comparison: Comparison) -> ByteArray | None:
    """The target with a box around each face and its similarity, (h, w, 3) uint8 RGB; None where it was not read."""
    if seen.photo is None:
        return None
    image: ByteArray = fit_within(seen.photo.pixels, DRAWN_SIDE_PX).copy()
    scale = image.shape[1] / seen.photo.width
    width = max(2, round(max(image.shape[:2]) / 400))
    for face in comparison.faces:
        x1, y1, x2, y2 = (round(value * scale) for value in face.box)
        color = _SAME_COLOR if face.same else _OTHER_COLOR
        cv2.rectangle(image, (x1, y1), (x2, y2), color, width)
        size = max(14, round((y2 - y1) / 8))
        draw_text(image, f"{'same' if face.same else 'other'} {face.similarity:.2f}", x1, y2 + width, size, color)
    return image
