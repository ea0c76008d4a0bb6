"""Where a track goes over to another person, on made-up embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.models.change_limits import STRICT_LIMITS, ChangeLimit, ChangeLimits
from core.models.similarity import Similarity
from core.types import FloatArray
from processors.faces.sample_likeness import SampleLikeness
from processors.faces.track_division import Transition, division_frame, division_points
from processors.tracking.row_buffer import RowBuffer
from tests.material.embedded_samples import EmbeddedSamples

SIMILARITY = Similarity.for_embedder("dlib")
SAME, OTHER = (SIMILARITY.to_cosine(value) for value in (0.95, 0.001))
CONTINUED, JUMPED, SWITCHED, AGAIN, ELSEWHERE, DISSOLVED = Transition


def faces(people: Sequence[int], same: float = SAME, other: float = OTHER) -> FloatArray:
    """(N, N) rows of unit length: samples of one person have the cosine `same`, those of two have `other`."""
    ids = np.array(people)
    cosines = np.where(ids[:, None] == ids, same, other)
    np.fill_diagonal(cosines, 1)
    return np.linalg.cholesky(cosines).astype(np.float32)


def points(
    people: Sequence[int], stretches: Sequence[int], transition: Transition = JUMPED, **cosines: float
) -> list[int]:
    return points_of(
        EmbeddedSamples(faces(people, **cosines) if people else np.zeros((0, 0), np.float32)), stretches, transition
    )


def points_of(
    samples: EmbeddedSamples,
    stretches: Sequence[int],
    transition: Transition = JUMPED,
    limits: ChangeLimits = STRICT_LIMITS,
) -> list[int]:
    likeness = SampleLikeness(samples.samples, samples.embed, SIMILARITY)
    return division_points(likeness, stretches, [transition] * (max(stretches, default=0) + 1), limits)


def test_one_person_is_not_divided() -> None:
    assert points([0] * 9, [0, 0, 0, 1, 1, 1, 2, 2, 2]) == []


def test_a_track_through_two_people_is_divided_where_they_meet() -> None:
    assert points([0, 0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1, 2, 2, 2]) == [2]


def test_there_and_back() -> None:
    assert points([0] * 3 + [1] * 4 + [0] * 3, [0] * 3 + [1] * 4 + [2] * 3) == [1, 2]


def test_samples_that_resemble_nothing_tell_nothing() -> None:
    """A blurred face: unlike the others on its own side too."""
    assert points([0, 0, 0, 1, 2, 3], [0, 0, 0, 1, 1, 1]) == []


def test_one_sample_tells_nothing() -> None:
    assert points([0, 0, 0, 1], [0, 0, 0, 1]) == []
    assert points([0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 2, 2]) == []
    assert points([0, 1], [0, 1]) == [] and points([], []) == []


def test_one_sample_tells_enough_of_a_face_that_was_found_elsewhere() -> None:
    for people in ([0, 0, 0, 1], [0, 1, 1, 1], [0, 1]):
        assert points(people, people, ELSEWHERE) == [1], people
    assert points([0, 0, 0, 0], [0, 0, 0, 1], ELSEWHERE) == []


def test_who_comes_back_with_the_next_dissolve_does_not_hide_who_was_there_between() -> None:
    assert points([0, 0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1, 2, 2], DISSOLVED) == [1, 2]
    assert points([0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 2, 2], DISSOLVED) == []


def test_one_pair_that_looks_alike_is_enough_to_be_one_person() -> None:
    """Before and after a turn of the head; in between both views are seen."""
    embeddings = faces([0, 0, 0, 1, 1, 1])
    embeddings[3] = embeddings[2]
    assert points_of(EmbeddedSamples(embeddings), [0, 0, 0, 1, 1, 1]) == []


def test_of_one_person_few_faces_are_embedded_and_those_at_once() -> None:
    """The third stands for the side before both changes, the seventh for the side after them."""
    samples = EmbeddedSamples(faces([0] * 9))
    assert points_of(samples, [0, 0, 0, 1, 1, 1, 2, 2, 2]) == []
    assert samples.embedded == [2], "the windows of four samples overlap"
    assert [s.frame for s in samples.samples if s.embedding is not None] == [2, 6]


def test_a_face_that_looks_the_same_is_not_embedded() -> None:
    samples = EmbeddedSamples(faces([0] * 6), looks=[0, 1, 2, 2, 3, 4])
    assert points_of(samples, [0, 0, 0, 1, 1, 1]) == [] and samples.embedded == []


def test_samples_outside_of_the_windows_are_not_embedded() -> None:
    samples = EmbeddedSamples(faces([0] * 8 + [1] * 8))
    assert points_of(samples, [0] * 8 + [1] * 8) == [1]
    assert sum(samples.embedded) == 8


@pytest.mark.parametrize(
    ("similarity", "divided"),
    [
        (0.001, tuple(Transition)),
        (0.045, (JUMPED, SWITCHED, AGAIN, ELSEWHERE, DISSOLVED)),
        (0.15, (ELSEWHERE, DISSOLVED)),
        (0.4, ()),
    ],
)
def test_how_unlike_depends_on_what_happened(similarity: float, divided: tuple[Transition, ...]) -> None:
    other = SIMILARITY.to_cosine(similarity)
    for transition in Transition:
        found = points([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1], transition, other=other)
        assert found == ([1] if transition in divided else []), transition


def test_without_an_event_both_sides_have_to_be_sure_of_themselves() -> None:
    """Where landmarks went wrong for a while, one person's faces are hardly alike on that side."""
    doubtful = SIMILARITY.to_cosine(0.6)
    for transition, divided in ((CONTINUED, []), (JUMPED, [1])):
        assert points([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1], transition, same=doubtful) == divided


def test_the_limits_of_the_embedder_decide() -> None:
    embeddings = faces([0, 0, 0, 1, 1, 1], other=SIMILARITY.to_cosine(0.3))
    limits = ChangeLimits(found_elsewhere=ChangeLimit(0.35, 0.3))
    stretches = [0, 0, 0, 1, 1, 1]
    assert points_of(EmbeddedSamples(embeddings), stretches, ELSEWHERE) == []
    assert points_of(EmbeddedSamples(embeddings), stretches, ELSEWHERE, limits) == [1]
    assert points_of(EmbeddedSamples(embeddings), stretches, JUMPED, limits) == []


def rows(*lefts: float) -> RowBuffer:
    buffer = RowBuffer(4)
    for left in lefts:
        buffer.append(np.array([left, 0, left + 40, 40], np.float32))
    return buffer


def test_the_other_person_begins_after_the_longest_absence() -> None:
    """Found again with frame 30, and followed backwards to frame 27."""
    frames = [0, 3, 6, 9, 27, 28, 30, 33]
    assert division_frame(frames, rows(*[0] * 8), 9, 30) == 27
    assert division_frame(frames, rows(*[0] * 8), 6, 30) == 27


def test_or_where_the_box_jumps() -> None:
    assert division_frame(list(range(8)), rows(0, 1, 2, 3, 60, 61, 62, 63), 2, 7) == 4
