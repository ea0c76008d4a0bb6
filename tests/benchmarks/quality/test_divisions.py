"""Missed and false divisions, counted on made-up embeddings."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.divisions import Half, Moments, chosen, errors, moments
from core.models.similarity import Similarity
from core.types import FloatArray
from processors.faces.track_division import Transition

SIMILARITY = Similarity.for_embedder("sface")
A, B = np.eye(2, dtype=np.float32)


def rows(*vectors: FloatArray) -> FloatArray:
    return np.stack(vectors)


def table(*across: float) -> Moments:
    """Moments of one track each, both sides of which are sure of themselves."""
    return Moments(np.arange(len(across)), np.array(across, np.float32), np.ones(len(across), np.float32))


def test_a_moment_has_the_most_alike_pair_across_and_the_lesser_of_the_best_pairs_within() -> None:
    found = moments([(rows(A, A, B, B), [2]), (rows(A, A, A, A), range(4))], SIMILARITY)
    assert found.track.tolist() == [0, 1], "two samples are needed on each side"
    assert found.across[0] < 0.001 and found.across[1] > 0.99
    assert (found.within > 0.99).all()


def test_a_track_counts_once_however_often_it_is_divided() -> None:
    found = moments([(rows(*[A] * 4, *[B] * 4, *[A] * 4), [4, 8])], SIMILARITY)
    assert len(found.track) == 2 and found.divided(0.5, 0.5) == 1


def test_two_tracklets_of_a_person_count_where_a_face_was_found_elsewhere() -> None:
    half = Half(joints=table(0.01, 0.3), pure=table(0.05, 0.9), reunited=table(0.1))
    assert errors(half, Transition.JUMPED, (0.2, 0.3)) == (1, 1)
    assert errors(half, Transition.FOUND_ELSEWHERE, (0.2, 0.3)) == (1, 2)


def test_no_limit_is_chosen_that_divides_more_tracks_of_one_person() -> None:
    half = Half(joints=table(0.01, 0.07, 0.3), pure=table(0.09, 0.9), reunited=table())
    assert chosen(half, Transition.JUMPED, (0.03, 0.3)) == (0.08, 0.9)
