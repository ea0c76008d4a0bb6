from __future__ import annotations

import itertools

import numpy as np

from core.models.link_curve import LinkCurve, LinkCurves
from processors.known_people.face_evidence import FaceSet, log_odds
from processors.known_people.person_matching import KnownPerson, LinkRules
from processors.known_people.person_unions import united_people

CURVE = LinkCurve(midpoint=0.8, slope=20.0)
CURVES = LinkCurves.one(CURVE)
RULES = LinkRules()
"""a pair is one from log-odds of 0.85 on: up to 32.5 degrees apart"""
NOBODY = FaceSet(np.zeros((0, 0), np.float32), np.zeros(0, np.float32))


def looking(*degrees: float) -> FaceSet:
    """A face of one video for each direction in a plane."""
    angles = np.radians(degrees)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return FaceSet(vectors, np.ones(len(degrees), np.float32), np.arange(len(degrees)))


def person(number: int, *degrees: float, name: str = "") -> KnownPerson:
    return KnownPerson(number, name, NOBODY, looking(*degrees))


def united(grown: set[int], *known: KnownPerson, apart: tuple[tuple[int, int], ...] = ()) -> list[tuple[int, int]]:
    found = united_people(grown, known, CURVES, RULES, apart)
    for order in itertools.permutations(known):
        assert united_people(grown, order, CURVES, RULES, apart) == found
    return found


def test_a_new_appearance_shows_that_two_are_one() -> None:
    assert log_odds(looking(0), looking(40), CURVE) < 0
    assert united({1}, person(1, 0), person(2, 40)) == []
    assert united({1}, person(1, 0, 20), person(2, 40)) == [(1, 2)]
    assert united({2}, person(1, 0, 20), person(2, 40)) == [(1, 2)]


def test_only_who_has_new_faces_is_compared() -> None:
    assert united(set(), person(1, 0), person(2, 10)) == []
    assert united({3}, person(1, 0), person(2, 10), person(3, 90)) == []


def test_who_is_said_or_seen_to_be_two_stays_two() -> None:
    assert united({1}, person(1, 0, 20), person(2, 40), apart=((1, 2),)) == []
    assert united({1}, person(1, 0, name="Anna"), person(2, 5, name="Berta")) == []


def test_the_name_stays_and_else_the_lower_number() -> None:
    assert united({1}, person(1, 0), person(2, 5, name="Anna")) == [(2, 1)]
    assert united({5}, person(5, 0), person(3, 5)) == [(3, 5)]


def test_a_person_between_two_others_is_neither_of_them() -> None:
    between = person(2, 25)
    assert united({2}, person(1, 0), between, person(3, 50)) == []
    assert united({2}, person(1, 0), between) == [(1, 2)]
    # The others are alike enough to be no rivals, unless they are known to be two.
    assert united({2}, person(1, 0), between, person(3, 36)) == [(2, 3), (1, 2)]
    assert united({2}, person(1, 0), between, person(3, 30), apart=((1, 3),)) == [(2, 3)]
    assert united({2}, person(1, 0), person(2, 15), person(3, 30), apart=((1, 3),)) == []


def test_what_is_united_may_unite_more_and_keeps_who_it_is_not() -> None:
    chain = (person(1, 0, 15), person(2, 20), person(3, 45))
    assert united({1}, *chain) == [(1, 2), (1, 3)]
    assert united({1}, *chain, apart=((2, 3),)) == [(1, 2)]
    # Of two names only one can be had.
    assert united({2}, person(1, 0, name="Anna"), person(2, 10), person(3, 40, name="Berta")) == [(1, 2)]
