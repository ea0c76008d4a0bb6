"""How faces of two files are read, chosen on other files than those that the choice is judged by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.known_cast import SHARED, Video, photo_pairs
from core.model_manager import ModelManager
from core.models.embedder_spec import calibration_of
from core.models.link_curve import GOOD_QUALITY, LinkCurve, LinkCurves
from processors.known_people.face_evidence import FaceSet, as_log_odds
from processors.known_people.known_faces import video_people
from processors.known_people.person_matching import LinkRules
from processors.known_people.photo_faces import find_faces
from processors.known_people.photo_reader import read_photo

SHOWN = {
    "lin-manuel-miranda": "hamilton_short/lin",
    "alex-lacamoire": "hamilton_short/alex",
    "obama": "hamilton_short/obama",
}
"""true person by name of the photo; who is on the others is in no clip"""

MIN_LOG_ODDS = tuple(np.arange(-1.5, 4, 0.25).tolist())
"""what the strict curve says of good faces that are linked; those that ask least come first"""
DISCOUNTS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
SLACK = 0.5
"""log-odds by which the wrong links of a curve have to be out of its reach"""


@dataclass(frozen=True, slots=True, eq=False)
class KnownFace:
    """Somebody in one file whose true name is known."""

    file: str
    person: str
    faces: FaceSet
    on_photo: bool = False


class LinkPairs:
    """Pairs of people of two files, (P,) each.

    files: (P, 2). same: whether both are one person. photos: how many of the two are in a photo.
    cosine: of their means.
    """

    def __init__(self, pairs: Sequence[tuple[KnownFace, KnownFace]]) -> None:
        self.files = np.array([(a.file, b.file) for a, b in pairs])
        self.same = np.array([a.person == b.person for a, b in pairs])
        self.photos = np.array([a.on_photo + b.on_photo for a, b in pairs])
        people = {id(one): one.faces for pair in pairs for one in pair}
        means = {key: faces.mean for key, faces in people.items()}
        lacks = {key: GOOD_QUALITY - min(float(faces.quality.max()), GOOD_QUALITY) for key, faces in people.items()}
        self.cosine = np.array([float(means[id(a)] @ means[id(b)]) for a, b in pairs])
        self._better_lack, self._poorer_lack = np.sort([[lacks[id(one)] for one in pair] for pair in pairs], axis=1).T

    def surplus(self, curve: LinkCurve) -> NDArray[np.float64]:
        """(P,) by how much the log-odds exceed what a link needs."""
        discount = curve.poorer * self._poorer_lack + curve.better * self._better_lack
        needed = as_log_odds(LinkRules().similarity)
        return np.asarray(curve.slope * (self.cosine - curve.midpoint) - discount - needed, np.float64)

    def surplus_by_kind(self, curves: LinkCurves) -> NDArray[np.float64]:
        """(P,) the same, each pair read by the curve for its kind."""
        return np.where(self.photos == 1, self.surplus(curves.photo_and_video), self.surplus(curves.same_kind))


def of_two_files(people: Sequence[KnownFace]) -> list[tuple[KnownFace, KnownFace]]:
    """All pairs of two files."""
    return [(a, b) for a, b in combinations(people, 2) if a.file != b.file]


def people_and_photos(videos: Sequence[Video], models: ModelManager) -> list[KnownFace]:
    """Everybody in the shared clips, and on the shared photos (the largest face), whose true name is known."""
    found = [
        KnownFace(video.path.name, video.truth[person.label], person.faces)
        for video in videos
        for person in video_people(video.people, ())
        if person.label in video.truth and len(person.faces)
    ]
    for path, person in known_photos().items():
        faces = find_faces(read_photo(path), models)
        found += [KnownFace(path.name, person, face.face_set, on_photo=True) for face in faces[:1]]
    return found


def known_photos() -> dict[Path, str]:
    """The shared photos and who is on them, by path."""
    rows = photo_pairs()
    person_of = {name: name for a, b, _ in rows for name in (a, b)}
    for a, b, same in rows:
        if same:
            one, other = person_of[a], person_of[b]
            person_of = {name: one if who == other else who for name, who in person_of.items()}
    paths = {SHARED / "pairs" / name: who for name, who in person_of.items()}
    paths |= {path: SHOWN.get(path.stem, path.stem) for path in (SHARED / "photos").iterdir() if path.suffix != ".md"}
    return dict(sorted(paths.items()))


def candidates(embedder: str) -> list[LinkCurve]:
    """The curves that are compared: the slope of the strict curve, one of the two discounts, any strictness."""
    strict, needed = calibration_of(embedder), as_log_odds(LinkRules().similarity)
    midpoints = [strict.midpoint + (least - needed) / strict.slope for least in MIN_LOG_ODDS]
    return [
        LinkCurve(midpoint, strict.slope, **{side: discount})
        for midpoint in midpoints
        for side in ("poorer", "better")
        for discount in DISCOUNTS
    ]


def chosen_curve(right: NDArray[np.bool_], nearly: NDArray[np.bool_]) -> int:
    """The curve with the most right links of those that would link nobody wrongly even if they were looser by `SLACK`.

    right, nearly: (curves, P), links of one person, and of two people if the curve were so much looser. Of equal curves
    the first one.
    """
    return int(np.lexsort((-right.sum(1), nearly.sum(1)))[0])


def cross_validated_curve(pairs: LinkPairs, in_use: LinkCurve, embedder: str) -> Iterator[str]:
    """What a curve links, and what curves link that were chosen without the file that they are applied to.

    Nobody asks who the next candidate is, which prevents some links of the program.
    """
    curves = candidates(embedder)
    surplus = np.stack([pairs.surplus(curve) for curve in curves])
    right, wrong, nearly = (surplus >= 0) & pairs.same, (surplus >= 0) & ~pairs.same, (surplus >= -SLACK) & ~pairs.same
    held_right, held_wrong = np.zeros(3), 0.0
    chosen: Counter[int] = Counter()
    for file in np.unique(pairs.files):
        out = (pairs.files == file).any(1)
        best = chosen_curve(right[:, ~out], nearly[:, ~out])
        chosen[best] += 1
        # A pair is judged twice, once without each of its files.
        held_right += np.bincount(pairs.photos[right[best] & out], minlength=3) / 2
        held_wrong += int((wrong[best] & out).sum()) / 2
    used = pairs.surplus(in_use) >= 0
    used_right = np.bincount(pairs.photos[used & pairs.same], minlength=3)
    one_person = np.bincount(pairs.photos[pairs.same], minlength=3)
    yield f"{len(pairs.same)} pairs of people of two files; one person: {_told(one_person)}"
    yield f"in use: right {_told(used_right)}; wrong {int((used & ~pairs.same).sum())}; {in_use}"
    yield f"leaving a file out: right {_told(held_right)}; wrong {held_wrong:g}"
    yield f"chosen on all files: {curves[chosen_curve(right, nearly)]}"
    yield from (f"chosen {count} times: {curves[k]}" for k, count in chosen.most_common())


def _told(counts: NDArray[np.generic]) -> str:
    """counts: (3,), pairs with none, one and two photos."""
    return f"{counts[0]:g} of videos, {counts[1]:g} of a photo and a video, {counts[2]:g} of photos"
