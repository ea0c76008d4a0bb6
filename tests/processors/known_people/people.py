"""People of the gallery's tests: made-up vectors, one direction for each person and some noise for each face."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.models.embedder_spec import EMBEDDERS
from core.models.link_curve import LinkCurve, LinkCurves
from core.types import FloatArray
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import EmbedderKey, GalleryFace, NamedPhoto, PersonOfVideo, VideoKey
from processors.known_people.gallery_videos import Linked, record_video
from processors.known_people.known_faces import KnownFaces
from processors.known_people.naming_case import NamingCase
from utils.fingerprints import Fingerprint

DIMENSIONS = 128
EMBEDDER = EmbedderKey("dlib", "ab" * 32)
CURVE = LinkCurve(midpoint=0.6, slope=20.0, poorer=3.0)
CURVES = LinkCurves.one(CURVE)


def use_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program read the made-up vectors by `CURVES`."""
    monkeypatch.setitem(EMBEDDERS, EMBEDDER.name, replace(EMBEDDERS[EMBEDDER.name], link_curves=CURVES))


def vector(person: int, face: int = 0, noise: float = 0.25) -> FloatArray:
    """A face of the person `person`: cosines of about 0.94 to other faces of theirs, of about 0 to other people's."""
    centre = np.random.default_rng(1000 + person).standard_normal(DIMENSIONS)
    own = np.random.default_rng([person, face]).standard_normal(DIMENSIONS)
    made = centre / np.linalg.norm(centre) + noise * own / np.linalg.norm(own)
    return np.asarray(made / np.linalg.norm(made), np.float32)


def faces(person: int, tracklet: int, count: int = 4, quality: float = 0.95, first: int = 0) -> tuple[GalleryFace, ...]:
    return tuple(
        GalleryFace(vector(person, first + k), quality, b"jpeg of %d" % person, tracklet) for k in range(count)
    )


def video(name: str, analysis: str = "a") -> VideoKey:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return VideoKey(Fingerprint(len(name), digest), (analysis * 64)[:64], f"{name}.mp4", name)


def cast(people: Sequence[int], *, first: int = 0, quality: float = 0.95) -> list[PersonOfVideo]:
    """person_01, person_02, ... with the tracklets 0 and 1, 2 and 3, ..."""
    return [
        PersonOfVideo(
            f"person_{k + 1:02d}",
            (2 * k, 2 * k + 1),
            10.0 + k,
            2,
            faces(person, 2 * k, 3, quality, first) + faces(person, 2 * k + 1, 3, quality, first + 10),
        )
        for k, person in enumerate(people)
    ]


def run(
    gallery: Gallery,
    name: str,
    people: Sequence[int] | Sequence[PersonOfVideo],
    *,
    analysis: str = "a",
    together: Sequence[tuple[str, str]] = (),
    first: int = 0,
) -> dict[str, int | None]:
    """Record a video; returns number by label."""
    return {one.label: one.number for one in linked(gallery, name, people, analysis, together, first)}


def linked(
    gallery: Gallery,
    name: str,
    people: Sequence[int] | Sequence[PersonOfVideo],
    analysis: str = "a",
    together: Sequence[tuple[str, str]] = (),
    first: int = 0,
) -> list[Linked]:
    entries = [p for p in people if isinstance(p, PersonOfVideo)]
    entries = entries or cast([p for p in people if isinstance(p, int)], first=first)
    known = KnownFaces(EMBEDDER, CURVES)
    case = NamingCase(video(name, analysis), EMBEDDER, tuple(entries), frozenset(together), False, {})
    return record_video(gallery, case, EMBEDDER, lambda free, decided, rows: known.link(free, together, decided, rows))


def photo(person: int, name: str, place: str = "/photos", quality: float = 1.0) -> NamedPhoto:
    digest = hashlib.sha256(f"{person} {name}".encode()).hexdigest()
    return NamedPhoto(name, digest, place, GalleryFace(vector(person, 99), quality, b"photo of %d" % person))


def stored_bytes(path: Path) -> bytes:
    """Everything that the gallery has on disk."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))
