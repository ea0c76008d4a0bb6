"""Finds known people who are one person with several numbers: a pure function from evidence to pairs of numbers.

Somebody who was not linked in one video gets a number of their own. Later videos may supply what was missing: a person
who resembles both, and with whose faces the two resemble each other as much as a link requires.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from core.models.link_curve import LinkCurves
from processors.known_people.face_evidence import as_log_odds, clearness, rival_log_odds
from processors.known_people.person_matching import KnownPerson, LinkRules, person_log_odds


def united_people(
    grown: Collection[int],
    known: Sequence[KnownPerson],
    curves: LinkCurves,
    rules: LinkRules,
    apart: Collection[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Pairs of people who are one, as (number that stays, number that goes), in the order in which to unite them.

    grown: numbers of those of `known` who have new faces; pairs of others are as they were. apart: pairs (lower number
    first) of people who are said or seen to be two; nor are two people with names ever one. A pair is one by the rules
    of a link: similarity, and the margin to whoever else either of them may be. With a name, or else with the lower
    number, a person stays. The order of the arguments does not matter.
    """
    case = _Case(known, curves, apart)
    changed = set(grown)
    united = []
    while (pair := case.clearest(changed, rules)) is not None:
        stays, goes = case.unite(*pair)
        changed = (changed - {goes}) | {stays}
        united.append((stays, goes))
    return united


class _Case:
    def __init__(self, known: Sequence[KnownPerson], curves: LinkCurves, apart: Collection[tuple[int, int]]) -> None:
        self._people = {person.number: person for person in known}
        self._curves = curves
        self._apart = {frozenset(pair) for pair in apart}
        self._odds: dict[frozenset[int], float] = {}

    def clearest(self, changed: Collection[int], rules: LinkRules) -> tuple[int, int] | None:
        """The most similar two people who are one and of whom one is in `changed`."""
        pairs = {frozenset((a, b)) for a in changed for b in self._people if a != b}
        least = as_log_odds(rules.similarity)
        alike = {(min(pair), max(pair)): odds for pair in pairs if (odds := self._one_person(pair)) >= least}
        ranked = sorted(alike, key=lambda pair: (-alike[pair], pair))
        return next((pair for pair in ranked if self._margin(*pair) >= rules.margin), None)

    def unite(self, a: int, b: int) -> tuple[int, int]:
        """Make one of two people; returns the number that stays and the one that goes."""
        stays, goes = sorted((a, b), key=lambda number: (not self._people[number].name, number))
        one, other = self._people[stays], self._people.pop(goes)
        self._people[stays] = replace(
            one, photos=one.photos.joined(other.photos), videos=one.videos.joined(other.videos)
        )
        self._apart = {frozenset(stays if n == goes else n for n in pair) for pair in self._apart}
        self._odds = {pair: odds for pair, odds in self._odds.items() if pair.isdisjoint((a, b))}
        return stays, goes

    def _alike(self, pair: frozenset[int]) -> float:
        if pair not in self._odds:
            a, b = sorted(pair)
            self._odds[pair] = person_log_odds(self._people[a], self._people[b], self._curves)
        return self._odds[pair]

    def _one_person(self, pair: frozenset[int]) -> float:
        """Log-odds that two people are one; -inf where they cannot be."""
        if pair in self._apart or all(self._people[number].name for number in pair):
            return -math.inf
        return self._alike(pair)

    def _margin(self, a: int, b: int) -> float:
        """Against everybody else whom one of the two resembles."""
        rivals = [
            rival_log_odds(self._alike(frozenset((one, third))), self._one_person(frozenset((other, third))))
            for one, other in ((a, b), (b, a))
            for third in self._people.keys() - {a, b}
        ]
        return clearness(self._one_person(frozenset((a, b))), max(rivals, default=-math.inf))
