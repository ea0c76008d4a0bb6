"""How alike samples are, and how many faces are embedded to tell."""

from __future__ import annotations

import numpy as np
import pytest

from core.models.similarity import Similarity
from core.types import FloatArray
from processors.faces.sample_likeness import SampleLikeness
from tests.material.embedded_samples import EmbeddedSamples

SIMILARITY = Similarity.for_embedder("dlib")
BEFORE, AFTER, ALL = slice(0, 3), slice(3, 6), slice(0, 6)


def similar(pairs: dict[tuple[int, int], float], other: float = 0.01, count: int = 6) -> FloatArray:
    """(N, N) rows of unit length: these pairs of samples have these similarities, all others `other`."""
    cosines = np.full((count, count), SIMILARITY.to_cosine(other))
    for (a, b), value in pairs.items():
        cosines[a, b] = cosines[b, a] = SIMILARITY.to_cosine(value)
    np.fill_diagonal(cosines, 1)
    return np.linalg.cholesky(cosines).astype(np.float32)


def likeness(samples: EmbeddedSamples) -> SampleLikeness:
    return SampleLikeness(samples.samples, samples.embed, SIMILARITY)


def test_one_pair_that_is_alike_enough_settles_it() -> None:
    samples = EmbeddedSamples(similar({(1, 4): 0.4}), quality=[0.5, 0.9, 0.6, 0.5, 0.9, 0.6])
    assert likeness(samples).across(BEFORE, AFTER, 0.2, ALL) == pytest.approx(0.4, abs=0.01)
    assert samples.embedded == [2], "the best of each side"


def test_as_long_as_no_pair_is_all_are_embedded_best_first() -> None:
    samples = EmbeddedSamples(similar({(0, 3): 0.15, (2, 5): 0.1}), quality=[0.5, 0.9, 0.6, 0.5, 0.9, 0.6])
    assert likeness(samples).across(BEFORE, AFTER, 0.2, ALL) == pytest.approx(0.15, abs=0.01)
    assert samples.embedded == [2, 2, 2]
    samples = EmbeddedSamples(similar({(0, 3): 0.15, (2, 5): 0.1}), quality=[0.5, 0.9, 0.6, 0.5, 0.9, 0.6])
    assert likeness(samples).across(BEFORE, AFTER, 0.05, ALL) == pytest.approx(0.1, abs=0.01)
    assert samples.embedded == [2, 2], "the third best are not asked"


def test_embeddings_that_are_there_are_used_first() -> None:
    samples = EmbeddedSamples(similar({(0, 5): 0.9}))
    samples.embed([samples.samples[0], samples.samples[5]])
    of_these = likeness(samples)
    of_these.embed_one_of_each([BEFORE, AFTER])
    assert of_these.across(BEFORE, AFTER, 0.2, ALL) == pytest.approx(0.9, abs=0.01)
    assert samples.embedded == [2]


def test_sides_of_different_length() -> None:
    samples = EmbeddedSamples(similar({}, count=4))
    assert likeness(samples).across(slice(0, 1), slice(1, 4), 0.2, ALL) == pytest.approx(0.01, abs=0.005)
    assert samples.embedded == [2, 1, 1]


def test_one_of_each_side_is_embedded_in_one_request() -> None:
    samples = EmbeddedSamples(similar({}, count=9), quality=[0.1, 0.2, 0.9, 0.3, 0.3, 0.8, 0.4, 0.4, 0.4])
    likeness(samples).embed_one_of_each([slice(0, 3), slice(3, 6), slice(2, 5), slice(6, 9)])
    assert samples.embedded == [3], "the third side overlaps the first two"
    assert [s.frame for s in samples.samples if s.embedding is not None] == [2, 5, 6]


def test_a_face_that_serves_many_sides_is_embedded_before_better_ones_that_serve_few() -> None:
    samples = EmbeddedSamples(similar({}, count=8), quality=[0.9, 0.8, 0.7, 0.5, 0.9, 0.4, 0.4, 0.4])
    likeness(samples).embed_one_of_each([slice(0, 3), slice(2, 5), slice(2, 8)])
    assert [s.frame for s in samples.samples if s.embedding is not None] == [2]


def test_faces_without_any_quality_serve_too() -> None:
    samples = EmbeddedSamples(similar({}), quality=[0.0] * 6)
    likeness(samples).embed_one_of_each([BEFORE, AFTER])
    assert samples.embedded == [2]


def test_a_face_stands_for_those_that_look_like_it() -> None:
    """The first face is seen again as the fifth: whoever resembles the first is no stranger to its neighbours."""
    samples = EmbeddedSamples(similar({(0, 2): 0.9}), looks=[0, 1, 2, 3, 0, 5])
    of_these = likeness(samples)
    samples.embed([samples.samples[0], samples.samples[2]])
    of_these.embed_one_of_each([slice(1, 3), slice(3, 6)])
    assert of_these.across(slice(1, 3), slice(3, 6), 0.2, ALL) == pytest.approx(0.9, abs=0.01)
    assert samples.embedded == [2], "neither side needed a face of its own"


def test_standing_in_takes_more_likeness_than_the_faces_themselves() -> None:
    """Two likenesses at a glance are in between: what is enough for the faces themselves is not for these."""
    samples = EmbeddedSamples(similar({(0, 2): 0.3}), looks=[0, 1, 2, 3, 0, 5])
    samples.embed([samples.samples[0], samples.samples[2]])
    assert likeness(samples).across(slice(1, 3), slice(3, 6), 0.2, ALL) == pytest.approx(0.01, abs=0.005)
    assert sum(samples.embedded) == 6, "all faces of both sides are asked"


def test_but_not_if_it_is_known_to_be_somebody_else() -> None:
    samples = EmbeddedSamples(similar({(0, 2): 0.9}), looks=[0, 1, 2, 3, 0, 5])
    samples.embed([samples.samples[0], samples.samples[2]])
    assert likeness(samples).across(slice(2, 3), slice(3, 6), 0.2, slice(1, 6)) == pytest.approx(0.01, abs=0.005)


def test_a_face_does_not_stand_for_another_that_is_unlike_it_when_embedded() -> None:
    """What looks alike only spares work; two people are told apart by their own faces."""
    samples = EmbeddedSamples(similar({}), looks=[0, 1, 2, 3, 0, 5])
    assert likeness(samples).across(slice(1, 3), slice(3, 6), 0.2, ALL) == pytest.approx(0.01, abs=0.005)
    assert all(s.embedding is not None for s in samples.samples[1:])


def test_the_best_pair_within_a_side() -> None:
    samples = EmbeddedSamples(similar({(0, 2): 0.7, (0, 3): 0.95}))
    assert likeness(samples).within(BEFORE) == pytest.approx(0.7, abs=0.01)
    assert samples.embedded == [3]


def test_a_glance_embeds_nothing() -> None:
    samples = EmbeddedSamples(similar({}), looks=[0, 1, 2, 3, 2, 4])
    of_these = likeness(samples)
    assert of_these.look_alike(BEFORE, AFTER) and not of_these.look_alike(slice(0, 2), AFTER)
    assert samples.embedded == []
