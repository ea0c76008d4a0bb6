from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.models.link_curve import LinkCurve, LinkCurves
from processors.known_people.face_evidence import (
    FaceSet,
    as_log_odds,
    as_similarity,
    clearness,
    log_odds,
    rival_log_odds,
)
from processors.known_people.person_matching import (
    Decisions,
    KnownPerson,
    LinkRules,
    VideoPerson,
    link_people,
    person_log_odds,
)
from tests.processors.known_people.people import CURVE, CURVES, vector

NOBODY = FaceSet(np.zeros((0, 0), np.float32), np.zeros(0, np.float32))


def face_set(person: int, first: int = 0, count: int = 3, quality: float = 0.95, noise: float = 0.25) -> FaceSet:
    return FaceSet(
        np.stack([vector(person, first + k, noise) for k in range(count)]), np.full(count, quality, np.float32)
    )


def known(number: int, person: int, name: str = "", *, photo: bool = False) -> KnownPerson:
    faces = face_set(person, 500)
    return KnownPerson(number, name, faces if photo else NOBODY, NOBODY if photo else faces)


def somebody(label: str, person: int, *together: str, **options: float) -> VideoPerson:
    return VideoPerson(label, face_set(person, **options), frozenset(together))  # type: ignore[arg-type]


def between(a: int, b: int, share: float) -> FaceSet:
    """Faces that resemble two people."""
    mixed = (1 - share) * vector(a, 700) + share * vector(b, 700)
    return FaceSet((mixed / np.linalg.norm(mixed))[None].astype(np.float32), np.ones(1, np.float32))


def test_links_by_gallery_and_photo() -> None:
    people = [somebody("a", 1), somebody("b", 2), somebody("c", 3)]
    found = link_people(people, [known(7, 1, "Anna"), known(8, 2, "Berta", photo=True)], CURVES)
    assert [(m.number, m.source) for m in found.values()] == [(7, "gallery"), (8, "photo"), (None, "none")]
    assert found["a"].similarity > 0.95 and found["a"].margin > 0.95
    assert found["c"].similarity < 0.01 and found["c"].suggestion is None


def test_a_photo_has_a_curve_of_its_own() -> None:
    """Not in the way of links between videos: what a photo's person needs is told apart from what a video's needs."""
    half = VideoPerson("a", between(1, 4, 0.5))
    curves = LinkCurves(same_kind=LinkCurve(0.8, 20.0), photo_and_video=LinkCurve(0.5, 20.0))
    photo, video = known(1, 1, "Anna", photo=True), known(1, 1, "Anna")
    assert [link_people([half], [one], curves)["a"].number for one in (photo, video)] == [1, None]
    assert person_log_odds(photo, known(2, 1), curves) - person_log_odds(video, known(2, 1), curves) == pytest.approx(6)
    assert person_log_odds(photo, photo, curves) == person_log_odds(video, video, curves)


def test_nobody_known_and_no_faces() -> None:
    assert link_people([somebody("a", 1)], [], CURVES)["a"].number is None
    found = link_people([VideoPerson("a", NOBODY)], [known(1, 1)], CURVES)["a"]
    assert (found.number, found.similarity, found.margin) == (None, 0.0, 0.0)


def test_between_two_people_nobody_is_guessed() -> None:
    people = [VideoPerson("a", between(1, 2, 0.5))]
    two = [known(1, 1, "Anna"), known(2, 2, "Berta")]
    assert link_people(people, two[:1], CURVES)["a"].number == 1
    found = link_people(people, two, CURVES)["a"]
    assert found.number is None and found.margin < 0.45
    assert found.suggestion is not None and found.suggestion.similarity == found.similarity >= 0.2


def test_one_person_with_two_numbers_is_not_a_rival_of_itself() -> None:
    people = [somebody("a", 1)]
    twice = [known(1, 1), known(2, 1)]
    assert link_people(people, twice, CURVES)["a"].number in (1, 2)
    apart = Decisions(apart={(1, 2)})
    assert link_people(people, twice, CURVES, decided=apart)["a"].number is None
    named = [known(1, 1, "Anna"), known(2, 1, "Berta")]
    assert link_people(people, named, CURVES)["a"].number is None


def test_two_numbers_that_may_well_be_one_person_are_hardly_rivals() -> None:
    people = [VideoPerson("a", between(1, 2, 0.5))]
    halves = [
        KnownPerson(1, "", NOBODY, between(1, 2, 0.25)),
        KnownPerson(2, "", NOBODY, between(1, 2, 0.75)),
    ]
    # Hardly more likely one person than two: not enough for a link, and enough not to ask which of them is meant.
    assert 0 < log_odds(halves[0].videos, halves[1].videos, CURVE) < as_log_odds(LinkRules().similarity)
    found = link_people(people, halves, CURVES)["a"]
    assert found.number is not None and found.margin >= 0.45
    apart = Decisions(apart={(1, 2)})
    assert link_people(people, halves, CURVES, decided=apart)["a"].number is None


def test_two_in_one_frame_never_get_one_person() -> None:
    one = [known(1, 1)]
    alike = [somebody("a", 1, "b"), VideoPerson("b", between(1, 2, 0.45), frozenset({"a"}))]
    found = link_people(alike, one, CURVES)
    assert [m.number for m in found.values()] == [1, None]
    assert found["b"].suggestion is None  # it cannot be
    twins = [somebody("a", 1, "b"), somebody("b", 1, "a", first=20)]
    assert {m.number for m in link_people(twins, one, CURVES).values()} == {None}
    held = Decisions(held={"b": 1})
    assert [m.number for m in link_people(twins, one, CURVES, decided=held).values()] == [None, 1]


def test_two_held_for_one_person_in_one_frame() -> None:
    twins = [somebody("a", 1, "b"), somebody("b", 2, "a")]
    held = Decisions(held={"a": 1, "b": 1})
    assert [m.number for m in link_people(twins, [known(1, 1)], CURVES, decided=held).values()] == [1, None]


def test_decisions_hold_against_the_faces() -> None:
    people = [somebody("a", 1), somebody("b", 2)]
    all_known = [known(1, 1), known(2, 2)]
    held = Decisions(held={"a": 2}, refused={("b", 2)})
    found = link_people(people, all_known, CURVES, decided=held)
    assert (found["a"].number, found["b"].number) == (2, None)


def test_poor_faces_are_discounted() -> None:
    alike = between(1, 2, 0.35)
    poor = FaceSet(alike.vectors, np.array([0.2], np.float32))
    clear, blurred = (log_odds(faces, face_set(1, 500), CURVE) for faces in (alike, poor))
    assert clear - blurred == pytest.approx(3 * (0.9 - 0.2), abs=1e-5)
    assert log_odds(NOBODY, alike, CURVE) == -np.inf


def test_the_order_does_not_matter() -> None:
    people = [somebody("a", 1, "b"), somebody("b", 2, "a"), VideoPerson("c", between(1, 2, 0.4)), somebody("d", 1)]
    everybody = [known(4, 2), known(9, 1), known(2, 3)]
    expected = link_people(people, everybody, CURVES)
    for order in itertools.permutations(range(4)):
        found = link_people([people[k] for k in order], everybody[::-1], CURVES)
        assert found == expected


def test_sets_are_compared_by_their_means() -> None:
    curve = LinkCurve(midpoint=0.5, slope=10.0)
    opposite = FaceSet(np.array([[1, 0], [0, 1]], np.float32), np.array([0.9, 0.3], np.float32))
    first = FaceSet(np.array([[1, 0]], np.float32), np.ones(1, np.float32))
    assert log_odds(opposite, first, curve) == pytest.approx(10 * (3 / np.sqrt(10) - 0.5), abs=1e-4)


def test_a_rival_counts_as_far_as_it_is_another_person() -> None:
    assert rival_log_odds(2.0, -np.inf) == 2.0
    assert rival_log_odds(2.0, -20.0) == pytest.approx(2.0, abs=1e-6)
    # Odds of 4 that it is the rival, even odds that both are one: 4 / (1 + 4 * 1).
    assert rival_log_odds(np.log(4), 0.0) == pytest.approx(np.log(0.8))
    assert rival_log_odds(2.0, 5.0) < -5
    assert rival_log_odds(-np.inf, 1.0) == -np.inf


def test_scales_of_evidence_and_limits_of_rules() -> None:
    assert as_similarity(as_log_odds(0.3)) == pytest.approx(0.3)
    assert (clearness(2.0, 2.0), clearness(2.0, -np.inf), clearness(-np.inf, -np.inf)) == (0.0, 1.0, 0.0)
    assert clearness(1.0, 0.0) == pytest.approx(0.462, abs=1e-3)
    with pytest.raises(ValueError, match="margin"):
        LinkRules(margin=1.0)
    with pytest.raises(ValueError, match="vectors"):
        FaceSet(np.zeros((2, 3), np.float32), np.zeros(1, np.float32))
