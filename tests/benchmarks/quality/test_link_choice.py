from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.link_choice import KnownFace, LinkPairs, candidates, chosen_curve, of_two_files
from core.models.embedder_spec import link_curves_of
from core.models.link_curve import LinkCurve
from processors.known_people.face_evidence import FaceSet, as_log_odds
from processors.known_people.person_matching import LinkRules


def known(file: str, person: str, angle: float, quality: float) -> KnownFace:
    vector = np.array([[np.cos(angle), np.sin(angle)]], np.float32)
    return KnownFace(file, person, FaceSet(vector, np.array([quality], np.float32)))


def test_pairs_are_of_two_files_and_say_what_the_curve_says() -> None:
    people = [known("a", "Anna", 0.0, 1.0), known("a", "Berta", 1.5, 1.0), known("b", "Anna", 0.4, 0.5)]
    pairs = LinkPairs(of_two_files(people))
    assert pairs.files.tolist() == [["a", "b"], ["a", "b"]]
    assert pairs.same.tolist() == [True, False]
    curve = LinkCurve(midpoint=0.5, slope=10.0, poorer=2.0, better=4.0)
    said = [curve.log_odds(float(np.cos(angle)), (1.0, 0.5)) for angle in (0.4, 1.1)]
    assert pairs.surplus(curve) == pytest.approx(np.array(said) - as_log_odds(LinkRules().similarity), abs=1e-5)


def test_a_curve_with_a_wrong_link_in_reach_loses_to_a_stricter_one() -> None:
    right = np.array([[True, True, True], [True, True, False], [True, False, False]])
    nearly = np.array([[False, True, False], [False, False, False], [False, False, False]])
    assert chosen_curve(right, nearly) == 1
    assert chosen_curve(right[[2, 2]], nearly[[2, 2]]) == 0


def test_the_curve_in_use_is_one_of_those_compared() -> None:
    curves = link_curves_of("sface")
    for used in (curves.same_kind, curves.photo_and_video):
        assert any(
            (one.slope, one.poorer, one.better) == (used.slope, used.poorer, used.better)
            and abs(one.midpoint - used.midpoint) < 1e-3
            for one in candidates("sface")
        )
