"""What strangers of a film say about its blurred faces, on tracklets whose cosines are known."""

from __future__ import annotations

import numpy as np
import pytest

from core.models.embedder_spec import PairCurve
from core.types import FloatArray, IntArray, Tracklet
from processors.people.pair_evidence import PairEvidence
from processors.people.stranger_evidence import REACH_S, StrangerEvidence, blur_of, mean_surplus
from processors.people.tracklet_evidence import SampleCosines
from tests.material.factories import face_analysis, tracklet

SPANS = np.array([(0, 2), (1, 3), (4, 5), (50, 51)], np.float64)
PAIR: IntArray = np.array([(0, 1)])


def surplus(shares: float, above: float) -> FloatArray:
    return mean_surplus(SPANS, PAIR, np.array([shares], np.float32), np.array([above]))


def test_strangers_count_for_the_tracklets_around_them() -> None:
    assert surplus(1, 0.4).tolist() == pytest.approx([0.2, 0.2, 0.2, 0])


def test_strangers_less_alike_than_ordinary_ones_change_nothing() -> None:
    assert not surplus(1, -0.4).any()


def test_a_little_blurred_pair_counts_little_and_many_pairs_outweigh_the_prior() -> None:
    assert surplus(0.25, 0.4)[0] == pytest.approx(0.08)
    many = np.repeat(PAIR, 99, axis=0)
    assert mean_surplus(SPANS, many, np.ones(99, np.float32), np.full(99, 0.4))[2] == pytest.approx(0.396)


def test_the_window_ends_at_its_reach() -> None:
    spans = np.array([(0, 1), (0, 1), (1 + REACH_S, 90), (1.1 + REACH_S, 90)], np.float64)
    found = mean_surplus(spans, PAIR, np.ones(1, np.float32), np.array([0.4]))
    assert found[2] == pytest.approx(0.2) and found[3] == 0


def test_blur_begins_at_the_middle_sharpness() -> None:
    assert blur_of(np.array([1.3, 0, -0.5, -1, -2], np.float32)).tolist() == [0, 0, 0.5, 1, 1]


def faces(*angles: float, sharpness: float = 10.0) -> list[Tracklet]:
    """One second each of a face of its own, side by side, with embeddings at these angles."""
    return [
        tracklet(k, range(25), (12 * k, 0, 12 * k + 10, 12), sharpness=sharpness, embeddings=[[np.cos(a), np.sin(a)]])
        for k, a in enumerate(angles)
    ]


def taken_off(tracklets: list[Tracklet], focus: FloatArray) -> FloatArray:
    analysis = face_analysis(tracklets, 100)
    size = (analysis.video.width, analysis.video.height)
    evidence = StrangerEvidence(tracklets, analysis.bounds_s, size, focus, SampleCosines(tracklets), ordinary=0.1)
    everybody = slice(0, len(tracklets))
    return evidence.block(everybody, everybody)


def test_only_pairs_of_two_blurred_faces_lose() -> None:
    found = taken_off(faces(0, 0, 1), np.array([-2, -1, 0.5], np.float32))
    assert found[:2, :2].tolist() == [[pytest.approx(0.45)] * 2] * 2
    assert not found[2].any() and not found[:, 2].any()


def test_sharp_strangers_and_films_without_strangers_say_nothing() -> None:
    assert not taken_off(faces(0, 0), np.array([-2, 0], np.float32)).any()
    one, other = faces(0, 0)
    later = tracklet(1, range(50, 75), (12, 0, 22, 12), sharpness=10.0, embeddings=[[1.0, 0.0]])
    assert taken_off([one, other], np.array([-2, -2], np.float32)).any()
    assert not taken_off([one, later], np.array([-2, -2], np.float32)).any()


@pytest.mark.parametrize(("sharpness", "is_less"), [(10.0, True), (100.0, False)])
def test_faces_of_a_crowd_out_of_focus_say_less(sharpness: float, is_less: bool) -> None:
    tracklets = faces(0, 0.1, 0.2, sharpness=sharpness)
    analysis = face_analysis(tracklets, 25)
    odds = [
        PairEvidence(tracklets, analysis, curve=PairCurve(0.4, 10, strangers=strangers)).block(slice(0, 3), slice(0, 3))
        for strangers in (None, 0.1)
    ]
    assert bool((odds[1]["faces"] < odds[0]["faces"] - 1).all()) is is_less
    assert is_less or np.array_equal(odds[0]["faces"], odds[1]["faces"])
