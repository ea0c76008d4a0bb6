"""Matches the people of a video with known people: a pure function from evidence to names, which never guesses.

Somebody is linked when the similarity reaches a threshold, when no other known person comes near (the margin), and
when nobody else in the same frame fits that person as well. Everything below is at most a suggestion.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from core.models.link_curve import LinkCurves
from processors.known_people.face_evidence import (
    FaceSet,
    as_log_odds,
    as_similarity,
    clearness,
    log_odds,
    rival_log_odds,
)

Source = Literal["photo", "gallery", "none"]

SUGGESTION = 0.3
"""similarity from which on a person who is not linked is suggested"""


@dataclass(frozen=True, slots=True)
class LinkRules:
    """similarity: from which on somebody is linked. margin: by which the next candidate must be beaten, [0, 1]."""

    similarity: float = 0.7
    margin: float = 0.45

    def __post_init__(self) -> None:
        if not (0 < self.similarity < 1 and 0 <= self.margin < 1):
            raise ValueError(f"similarity {self.similarity}, margin {self.margin}: expected (0, 1) and [0, 1)")


@dataclass(frozen=True, slots=True, eq=False)
class KnownPerson:
    """A person with a number. photos, videos: their faces by where they come from. name: "" where there is none."""

    number: int
    name: str
    photos: FaceSet
    videos: FaceSet


@dataclass(frozen=True, slots=True, eq=False)
class VideoPerson:
    """A person of one video. label: as the timeline calls them. together: labels of who is in a frame with them."""

    label: str
    faces: FaceSet
    together: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Somebody may be the known person `number`."""

    number: int
    name: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Match:
    """What was found about one person of a video.

    number: of the known person, None where it is nobody known. similarity: to the best candidate, [0, 1].
    margin: how clearly that one beats the next, 0 a tie, 1 no comparison. source: what the candidate is known by.
    """

    number: int | None = None
    similarity: float = 0.0
    margin: float = 0.0
    source: Source = "none"
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is settled already.

    held: known person by label, from an earlier run or by somebody's word. refused: (label, number) that are said not
    to be one. apart: pairs (lower number first) of known people who are said or seen to be two. without_video: a video
    whose own faces are no evidence, because its people are held by them.
    """

    held: Mapping[str, int] = field(default_factory=dict)
    refused: Collection[tuple[str, int]] = ()
    apart: Collection[tuple[int, int]] = ()
    without_video: str = ""


def link_people(
    people: Sequence[VideoPerson],
    known: Sequence[KnownPerson],
    curves: LinkCurves,
    rules: LinkRules | None = None,
    decided: Decisions | None = None,
) -> dict[str, Match]:
    """A match for every person, by label, in the order of `people`. The order of the arguments does not matter."""
    case = _Case(people, known, curves, rules or LinkRules(), decided or Decisions())
    case.hold()
    case.link()
    return {person.label: case.match(person) for person in people}


class _Case:
    def __init__(
        self,
        people: Sequence[VideoPerson],
        known: Sequence[KnownPerson],
        curves: LinkCurves,
        rules: LinkRules,
        decided: Decisions,
    ) -> None:
        self._people = {person.label: person for person in people}
        self._known = {person.number: person for person in known}
        self._curves = curves
        self._rules = rules
        self._decided = decided
        self._linked: dict[str, int] = {}
        self._odds: dict[tuple[str, int], float] = {}
        self._source: dict[tuple[str, int], Source] = {}
        self._one_person_odds: dict[tuple[int, int], float] = {}
        refused = set(decided.refused)
        for person in people:
            for other in known:
                key = (person.label, other.number)
                by_photo = log_odds(person.faces, other.photos, curves.photo_and_video)
                by_video = log_odds(person.faces, other.videos, curves.same_kind)
                self._source[key] = "photo" if by_photo >= by_video and len(other.photos) else "gallery"
                self._odds[key] = -math.inf if key in refused else max(by_photo, by_video)

    def hold(self) -> None:
        """Take over what is settled, as far as nobody in the same frame has the same person."""
        for label in self._people:
            number = self._decided.held.get(label)
            if number is not None and not self._taken(label, number):
                self._linked[label] = number

    def link(self) -> None:
        """Link who can be linked without a doubt, the clearest first."""
        least = as_log_odds(self._rules.similarity)
        pairs = sorted((-odds, label, number) for (label, number), odds in self._odds.items() if odds >= least)
        for _, label, number in pairs:
            if label in self._linked or label in self._decided.held or self._taken(label, number):
                continue
            # Judged before anybody is linked: whether A is clear must not depend on B having been linked first.
            if self._margin(label, number) >= self._rules.margin:
                self._linked[label] = number

    def match(self, person: VideoPerson) -> Match:
        label = person.label
        linked = self._linked.get(label)
        if linked is not None and self._odds.get((label, linked), -math.inf) > -math.inf:
            return Match(linked, *self._figures(label, linked), self._source[label, linked])
        best = self._best(label)
        if best is None:
            return Match(linked)
        figures = self._figures(label, best)
        nameless = linked is None or linked not in self._known or not self._known[linked].name
        suggestion = None
        if figures[0] >= SUGGESTION and nameless and not self._taken(label, best):
            suggestion = Suggestion(best, self._known[best].name, figures[0])
        return Match(linked, *figures, "none", suggestion)

    def _figures(self, label: str, number: int) -> tuple[float, float]:
        odds = self._odds.get((label, number), -math.inf)
        return round(as_similarity(odds), 4), round(self._margin(label, number), 4)

    def _best(self, label: str) -> int | None:
        """The most similar known person; the lower number where two are equal."""
        found = [(-self._odds[label, number], number) for number in self._known]
        return min((pair for pair in found if pair[0] < math.inf), default=(0.0, None))[1]

    def _taken(self, label: str, number: int) -> bool:
        return any(self._linked.get(other) == number for other in self._people[label].together)

    def _margin(self, label: str, number: int) -> float:
        """Against the next known person, and against whoever is in the same frame: only one of them can be it."""
        own = self._odds.get((label, number), -math.inf)
        rivals = [
            rival_log_odds(self._odds[label, other], self._one_person(number, other))
            for other in self._known
            if other != number
        ]
        rivals += [
            self._odds.get((other, number), -math.inf)
            for other in self._people[label].together
            if other in self._people and self._decided.held.get(other, number) == number
        ]
        return clearness(own, max(rivals, default=-math.inf))

    def _one_person(self, a: int, b: int) -> float:
        """Log-odds that two known people are one who got two numbers; -inf where they cannot be."""
        key = (min(a, b), max(a, b))
        if key not in self._one_person_odds:
            first, second = self._known[a], self._known[b]
            never = bool(first.name and second.name) or key in self._decided.apart
            self._one_person_odds[key] = -math.inf if never else person_log_odds(first, second, self._curves)
        return self._one_person_odds[key]


def person_log_odds(a: KnownPerson, b: KnownPerson, curves: LinkCurves) -> float:
    """Log-odds that two known people are one, by the faces that fit best."""
    return max(
        log_odds(a.photos, b.photos, curves.same_kind),
        log_odds(a.videos, b.videos, curves.same_kind),
        log_odds(a.photos, b.videos, curves.photo_and_video),
        log_odds(a.videos, b.photos, curves.photo_and_video),
    )
