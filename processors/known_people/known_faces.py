"""The gallery's faces in memory: an index finds who may be meant, `person_matching` decides who is."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from core.models.link_curve import LinkCurves
from core.types import FloatArray
from processors.known_people.face_evidence import FaceSet, as_log_odds, as_similarity
from processors.known_people.face_index import ExactFaceIndex, FaceIndex
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_rows import apart_pairs, origin_range, unite, video_of
from processors.known_people.gallery_types import EmbedderKey, PersonOfVideo
from processors.known_people.person_matching import (
    SUGGESTION,
    Decisions,
    KnownPerson,
    LinkRules,
    Match,
    VideoPerson,
    link_people,
    person_log_odds,
)
from processors.known_people.person_names import person_id
from processors.known_people.person_unions import united_people

logger = logging.getLogger(__name__)

NEAREST = 64
"""appearances and photos nearest to a person's mean; whose they are is compared in full"""
FACES_COMPARED = 48
"""of a known person, the best ones, from photos and from videos each"""
_NEARNESS_SLACK = 3.0
"""log-odds by which the mean of one appearance may fall short of what all of a person's faces say"""
_ROWS_ADDED = 4096


@dataclass(frozen=True, slots=True)
class PairSuggestion:
    """Two known people who may be the same. settles: how much an answer would resolve; pairs are sorted by it."""

    first: int
    second: int
    similarity: float
    settles: float


class KnownFaces:
    """Matches the people of videos with known people. Not thread-safe; reads the gallery again when it changes."""

    def __init__(self, embedder: EmbedderKey, curves: LinkCurves, rules: LinkRules | None = None) -> None:
        self.embedder = embedder
        self.curves = curves
        self.rules = rules or LinkRules()
        self._state: str | None = None
        self._index: FaceIndex = ExactFaceIndex()

    def link(
        self,
        people: Sequence[PersonOfVideo],
        together: Iterable[tuple[str, str]],
        decided: Decisions,
        rows: sqlite3.Connection,
    ) -> dict[str, Match]:
        """Who the people of a video are; called by `record_video`, within its transaction.

        Known people are united if this video shows that they are the same.
        """
        seen = video_people(people, together)
        candidates = {number for person in seen for number in self._near(person.faces, rows)}
        known = self.load(rows, candidates | set(decided.held.values()), decided.without_video)
        matches = link_people(seen, known, self.curves, self.rules, decided)
        stays = self._unite(seen, matches, decided, rows)
        names = {person.number: person.name for person in self.load(rows, stays.values())}
        return {label: _renumbered(match, stays, names) for label, match in matches.items()}

    def settle_photos(self, gallery: Gallery) -> int:
        """Name the nameless people that the photos show; returns how many that were.

        Raises:
            GalleryError: the gallery cannot be written; nothing was changed.
        """
        with gallery.file.writing() as rows:
            with_photo = [
                row[0] for row in rows.execute("SELECT DISTINCT person FROM faces WHERE source = 'photo' ORDER BY 1")
            ]
            named = self.load(rows, with_photo)
            apart = apart_pairs(rows)
            candidates = {number for person in named for number in self._near(person.photos, rows)} - set(with_photo)
            nameless = [person for person in self.load(rows, candidates) if not person.name and len(person.videos)]
            people = [
                VideoPerson(
                    str(person.number),
                    person.videos,
                    frozenset(str(o.number) for o in nameless if _pair(o.number, person.number) in apart),
                )
                for person in nameless
            ]
            refused = [(str(p.number), n.number) for p in nameless for n in named if _pair(p.number, n.number) in apart]
            by_photo = [KnownPerson(n.number, n.name, n.photos, n.photos.best(0)) for n in named]
            matches = link_people(people, by_photo, self.curves, self.rules, Decisions(refused=refused))
            found = [(match.number, int(label)) for label, match in matches.items() if match.number is not None]
            for number, other in found:
                unite(rows, number, other, by_hand=False)
        return len(found)

    def suggest_pairs(
        self, gallery: Gallery, limit: int, at_most: Callable[[int, int], float] | None = None
    ) -> list[PairSuggestion]:
        """Pairs of people who may be the same, those that resolve most first.

        A pair resolves its similarity times the shorter of the two times on screen, which is what would change owner.
        at_most: how similar two numbers, the lower first, are at most by what is known of them beside their faces.
        """
        with gallery.file.reading() as rows:
            apart = apart_pairs(rows)
            shown = dict(rows.execute("SELECT person, sum(on_screen_s) FROM appearances GROUP BY person").fetchall())
            numbers = [row[0] for row in rows.execute("SELECT id FROM people ORDER BY id")]
            found: dict[tuple[int, int], PairSuggestion] = {}
            for person in self.load(rows, numbers):
                near = [n for faces in (person.photos, person.videos) for n in self._near(faces, rows)]
                for other in self.load(rows, {n for n in near if n > person.number}):
                    pair = _pair(person.number, other.number)
                    if pair in apart or (person.name and other.name):
                        continue
                    similarity = as_similarity(person_log_odds(person, other, self.curves))
                    if similarity >= SUGGESTION and at_most is not None:
                        similarity = min(similarity, at_most(*pair))
                    if similarity >= SUGGESTION:
                        worth = similarity * min(float(shown.get(n) or 0.0) for n in pair)
                        found[pair] = PairSuggestion(*pair, round(similarity, 4), round(worth, 3))
        return sorted(found.values(), key=lambda s: (-s.settles, -s.similarity, s.first, s.second))[:limit]

    def load(self, rows: sqlite3.Connection, numbers: Iterable[int], without_video: str = "") -> list[KnownPerson]:
        """Known people with their best faces, by number. without_video: its faces are left out."""
        people = []
        for number in sorted(set(numbers)):
            found = rows.execute("SELECT name FROM people WHERE id = ?", (number,)).fetchone()
            if found is not None:
                photos, videos = (self._faces(rows, number, source, without_video) for source in ("photo", "video"))
                people.append(KnownPerson(number, found[0], photos, videos))
        return people

    def _unite(
        self,
        seen: Sequence[VideoPerson],
        matches: Mapping[str, Match],
        decided: Decisions,
        rows: sqlite3.Connection,
    ) -> dict[int, int]:
        """Unite people if the newly linked faces show that they are the same; returns kept number by removed number."""
        owners = {label: match.number for label, match in matches.items() if match.number is not None}
        new: dict[int, FaceSet] = {}
        for person in seen:
            if person.label in owners and person.label not in decided.held:
                number = owners[person.label]
                new[number] = new[number].joined(person.faces, one_appearance=True) if number in new else person.faces
        if not new:
            return {}
        grown = [replace(p, videos=p.videos.joined(new[p.number])) for p in self.load(rows, new, decided.without_video)]
        near = {number for p in grown for faces in (p.photos, p.videos) for number in self._near(faces, rows)}
        known = grown + self.load(rows, near - new.keys(), decided.without_video)
        beside = {
            _pair(owners[person.label], owners[other])
            for person in seen
            for other in person.together
            if person.label in owners and other in owners
        }
        stays: dict[int, int] = {}
        for kept, gone in united_people(new, known, self.curves, self.rules, beside.union(decided.apart)):
            unite(rows, kept, gone, by_hand=False)
            logger.info("%s and %s are one person, %s from now on", *map(person_id, (kept, gone, kept)))
            stays = {number: kept if now == gone else now for number, now in stays.items()} | {gone: kept}
        return stays

    def _faces(self, rows: sqlite3.Connection, number: int, source: str, without_video: str) -> FaceSet:
        found = rows.execute(
            "SELECT vector, quality, origin FROM faces WHERE person = ? AND source = ? AND embedder = ? AND weights = ?"
            " AND (? = '' OR NOT (origin >= ? AND origin < ?)) ORDER BY quality DESC, id LIMIT ?",
            (
                number,
                source,
                self.embedder.name,
                self.embedder.weights_sha256,
                without_video,
                *origin_range(without_video),
                FACES_COMPARED,
            ),
        ).fetchall()
        appearances = None
        if source == "video":
            videos = [video_of(row[2]) for row in found]
            appearances = np.array([videos.index(video) for video in videos], np.int64)
        return FaceSet(
            _vectors([row[0] for row in found]), np.array([row[1] for row in found], np.float32), appearances
        )

    def _near(self, faces: FaceSet, rows: sqlite3.Connection) -> set[int]:
        """Numbers of the people whose faces are nearest, as far as any could be linked or suggested."""
        self._refresh(rows)
        if not len(faces):
            return set()
        numbers, cosines = self._index.search(faces.mean[None], NEAREST)
        least = self.curves.least_cosine(as_log_odds(SUGGESTION) - _NEARNESS_SLACK)
        return {int(n) for n, cosine in zip(numbers[0], cosines[0], strict=True) if cosine >= least}

    def _refresh(self, rows: sqlite3.Connection) -> None:
        state = str(rows.execute("SELECT digest FROM state").fetchone()[0])
        if state == self._state:
            return
        self._index = ExactFaceIndex()
        found = rows.execute(
            "SELECT person, CASE instr(origin, '#') WHEN 0 THEN origin ELSE substr(origin, 1, instr(origin, '#')) END,"
            " vector, quality FROM faces WHERE embedder = ? AND weights = ? ORDER BY 1, 2, id",
            (self.embedder.name, self.embedder.weights_sha256),
        )
        numbers: list[int] = []
        means: list[FloatArray] = []
        # One entry for each appearance: a person's mean is looked for, and single faces would only be more of the same.
        for (number, _), faces in groupby(found, key=lambda row: (row[0], row[1])):
            some = list(faces)
            numbers.append(number)
            means.append(
                FaceSet(_vectors([row[2] for row in some]), np.array([row[3] for row in some], np.float32)).mean
            )
            if len(means) == _ROWS_ADDED:
                self._index.add(np.array(numbers, np.int64), np.stack(means))
                numbers, means = [], []
        if means:
            self._index.add(np.array(numbers, np.int64), np.stack(means))
        self._state = state


def video_people(people: Sequence[PersonOfVideo], together: Iterable[tuple[str, str]]) -> list[VideoPerson]:
    """The people of a video as the linker takes them. together: pairs of labels seen in one frame."""
    beside: dict[str, set[str]] = {}
    for a, b in together:
        beside.setdefault(a, set()).add(b)
        beside.setdefault(b, set()).add(a)
    return [
        VideoPerson(
            person.label,
            FaceSet(
                np.stack([face.vector for face in person.faces]) if person.faces else np.zeros((0, 0), np.float32),
                np.array([face.quality for face in person.faces], np.float32),
            ),
            frozenset(beside.get(person.label, ())),
        )
        for person in people
    ]


def _renumbered(match: Match, stays: Mapping[int, int], names: Mapping[int, str]) -> Match:
    """`match` with people's current numbers. names: of those that others were merged into."""
    asked = match.suggestion
    if asked is not None and asked.number in stays:
        asked = replace(asked, number=stays[asked.number], name=names[stays[asked.number]])
    number = None if match.number is None else stays.get(match.number, match.number)
    return replace(match, number=number, suggestion=asked)


def _vectors(blobs: Sequence[bytes]) -> FloatArray:
    """(N, D) float32 of unit length out of what `vector_bytes` makes of vectors."""
    if not blobs:
        return np.zeros((0, 0), np.float32)
    rows = np.frombuffer(b"".join(blobs), "<f2").reshape(len(blobs), -1).astype(np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def _pair(a: int, b: int) -> tuple[int, int]:
    return min(a, b), max(a, b)
