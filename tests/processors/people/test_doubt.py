"""Doubt on made-up similarities and faces with known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.models.similarity import Similarity
from core.types import FaceAnalysis, Identity, Timeline, TrackletDivision
from processors.people.doubt import (
    DOUBTFUL_BELOW,
    NearestPerson,
    find_doubts,
    weakest_division,
)
from processors.people.pair_evidence import tracklet_similarity
from tests.material import factories

EQUAL = np.ones(9)


def symmetric(size: int, rest: float, **pairs: float) -> np.ndarray:
    """(N, N) float32 with `rest` everywhere but at pairs such as p01."""
    matrix = np.full((size, size), rest, np.float32)
    for name, value in pairs.items():
        a, b = int(name[1]), int(name[2])
        matrix[a, b] = matrix[b, a] = value
    return matrix


def test_two_people_in_one_are_cut_between_them():
    value, part = weakest_division(symmetric(5, 0.1, p01=0.9, p12=0.9, p34=0.9), EQUAL[:5])
    assert part.tolist() == [3, 4]
    assert value == pytest.approx(0.1)


def test_one_face_that_resembles_both_does_not_hide_it():
    """The links of the chain 0 1 2 3 4 are strong but for one; the parts have little in common."""
    matrix = symmetric(5, 0.05, p01=0.95, p12=0.9, p23=0.8, p34=0.95)
    value, part = weakest_division(matrix, EQUAL[:5])
    assert part.tolist() == [3, 4]
    assert value == pytest.approx((0.8 + 5 * 0.05) / 6)


def test_an_odd_one_out_is_the_smaller_part_wherever_it_is():
    for odd in range(4):
        matrix = np.full((4, 4), 0.9, np.float32)
        matrix[odd] = matrix[:, odd] = 0.3
        value, part = weakest_division(matrix, EQUAL[:4])
        assert part.tolist() == [odd] and value == pytest.approx(0.3)


def test_weights_decide_which_part_is_smaller_and_what_counts():
    matrix = symmetric(3, 0.9, p01=0.2, p02=0.4)
    value, part = weakest_division(matrix, np.array([5.0, 1.0, 3.0]))
    assert part.tolist() == [1, 2]
    assert value == pytest.approx((1 * 0.2 + 3 * 0.4) / 4)


def test_one_tracklet_has_nothing_to_be_compared_with():
    assert weakest_division(np.ones((1, 1), np.float32), EQUAL[:1])[0] is None
    assert weakest_division(np.ones((0, 0), np.float32), EQUAL[:0])[1].tolist() == []


@pytest.mark.parametrize("seed", range(5))
def test_no_other_division_has_a_weaker_strongest_link(seed):
    rng = np.random.default_rng(seed)
    n = 7
    matrix = rng.random((n, n)).astype(np.float32)
    matrix = np.maximum(matrix, matrix.T)
    _, part = weakest_division(matrix, EQUAL[:n])
    links = []
    for code in range(1, 2 ** (n - 1)):
        inside = np.array([bool(code >> k & 1) for k in range(n)])
        links.append(matrix[np.ix_(inside, ~inside)].max())
    found = np.isin(np.arange(n), part)
    assert matrix[np.ix_(found, ~found)].max() == min(links)


A, B, C = np.eye(4)[:3]
COSINES = {name: Similarity.for_embedder("facenet").to_cosine(value) for name, value in (("like", 0.6), ("far", 0.2))}


def turned(one: np.ndarray, towards: np.ndarray, cosine: float) -> np.ndarray:
    """A unit vector with this cosine to the unit vector `one`; `towards` is at right angles to it."""
    return np.asarray(cosine * one + np.sqrt(1 - cosine**2) * towards)


def scene(*faces: tuple[int, np.ndarray | None]) -> FaceAnalysis:
    """Tracklets 0, 1, ... of (first frame, embedding), 10 frames long and far from each other in the frame."""
    tracklets = [
        factories.tracklet(
            number,
            range(start, start + 10),
            (100 * number, 0, 100 * number + 40, 40),
            embeddings=None if vector is None else [vector, vector],
        )
        for number, (start, vector) in enumerate(faces)
    ]
    return factories.face_analysis(
        tracklets, 400, video=factories.video_info(width=640, height=360), embedder="facenet"
    )


def who(*people: tuple[int, ...], unknown: tuple[int, ...] = ()) -> Timeline:
    identities = tuple(Identity(f"person_{k:02d}", tracklets, ()) for k, tracklets in enumerate(people, 1))
    return Timeline(identities, unknown)


def test_a_person_of_two_unlike_faces_is_doubtful_and_one_of_equal_faces_is_not():
    analysis = scene((0, A), (50, A), (100, turned(A, B, COSINES["like"])), (150, C), (200, C))
    doubts = find_doubts(analysis, who((0, 1, 2), (3, 4)))
    mixed, sure = doubts.people["person_01"], doubts.people["person_02"]
    assert mixed.is_doubtful and mixed.part == (2,) and mixed.similarity == pytest.approx(0.6, abs=1e-3)
    assert not sure.is_doubtful and sure.similarity is not None and sure.similarity > DOUBTFUL_BELOW


def test_the_nearest_person_is_said_with_the_similarity():
    analysis = scene((0, A), (50, turned(A, B, COSINES["far"])), (100, C), (150, turned(A, B, COSINES["like"])))
    doubts = find_doubts(analysis, who((0,), (1,), (2,), unknown=(3,)))
    assert doubts.people["person_01"].nearest.name == "person_02"
    assert doubts.people["person_01"].nearest.similarity == pytest.approx(0.2, abs=1e-3)
    assert not doubts.people["person_01"].nearest.may_be_same
    # The unknown one lies between the two, nearer to the second.
    assert doubts.unknown[3].name == "person_02" and doubts.unknown[3].may_be_same


def test_who_is_seen_in_the_same_frame_is_not_named():
    analysis = scene((0, A), (5, A), (100, turned(A, B, COSINES["like"])))
    doubts = find_doubts(analysis, who((0,), (2,), unknown=(1,)))
    assert doubts.unknown[1].name == "person_02"
    assert find_doubts(analysis, who((0,), unknown=(1,))).unknown[1] == NearestPerson()


def test_who_was_divided_by_somebody_is_not_named_as_the_same():
    analysis = scene((0, A), (10, A))
    same_place = replace(analysis.tracklets[1], boxes=analysis.tracklets[0].boxes)
    analysis = replace(analysis, tracklets=(analysis.tracklets[0], same_place))
    timeline = who((0,), (1,))
    assert find_doubts(analysis, timeline).people["person_01"].nearest.similarity > 0.99
    divided = replace(timeline, divisions=(TrackletDivision(0, 10, 1),))
    assert find_doubts(analysis, divided).people["person_01"].nearest == NearestPerson()


def test_a_continued_track_is_evidence_too():
    unlike = turned(A, B, COSINES["like"])
    apart, joined = scene((0, A), (300, unlike)), scene((0, A), (10, unlike))
    moved = replace(joined.tracklets[1], boxes=joined.tracklets[0].boxes)
    joined = replace(joined, tracklets=(joined.tracklets[0], moved))
    weak, strong = (tracklet_similarity(case.tracklets, case).rows(np.array([0]))[0, 1] for case in (apart, joined))
    assert weak == pytest.approx(0.6, abs=1e-3) and strong > 0.95


def test_tracklets_without_a_usable_face_say_nothing():
    analysis = scene((0, A), (50, None), (100, None))
    doubts = find_doubts(analysis, who((0, 1), unknown=(2,)))
    assert doubts.people["person_01"].similarity is None and not doubts.people["person_01"].is_doubtful
    assert doubts.unknown[2] == NearestPerson()
    assert find_doubts(factories.face_analysis(), who()).people == {}
