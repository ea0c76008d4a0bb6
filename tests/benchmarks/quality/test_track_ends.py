from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.quality.track_ends import MISSED, EndErrors, end_errors, summary
from tests.material.scoring import Labelled

Tracks = dict[int, Labelled]


def face(person: str, x: float = 0, size: float = 40) -> tuple[str, Any]:
    return person, np.array([x, 0, x + size, size], float)


def film(length: int, **people: tuple[int, int]) -> Tracks:
    """Each person in place from the first to before the last frame."""
    return {
        frame: [face(name, 100 * i) for i, (name, (a, b)) in enumerate(people.items()) if a <= frame < b]
        for frame in range(length)
    }


def test_exact_tracks_have_no_error() -> None:
    truth = film(40, a=(0, 40), b=(7, 31))
    assert end_errors(truth, truth) == EndErrors((0, 0), (0, 0))


@pytest.mark.parametrize(("begin", "end"), [(10, 30), (13, 30), (8, 30), (10, 28), (10, 33)])
def test_late_is_positive_and_early_negative(begin: int, end: int) -> None:
    errors = end_errors(film(40, a=(10, 30)), film(40, x=(begin, end)))
    assert errors == EndErrors((begin - 10,), (end - 30,))


def test_between_annotated_frames_anything_is_right() -> None:
    truth = {frame: faces for frame, faces in film(40, a=(9, 31)).items() if frame % 3 == 0}
    for begin, end in ((9, 31), (7, 31), (9, 33)):
        assert end_errors(truth, film(40, x=(begin, end))) == EndErrors((0,), (0,))
    assert end_errors(truth, film(40, x=(6, 34))) == EndErrors((-1,), (1,))
    assert end_errors(truth, film(40, x=(11, 28))) == EndErrors((2,), (-3,))


def test_where_a_face_is_not_demanded_a_track_may_begin_and_end() -> None:
    truth = film(40, a=(10, 30))
    for frame in (*range(5, 10), *range(30, 36)):
        truth[frame] = [face("-")]
    for begin, end in ((10, 30), (5, 36), (7, 32)):
        assert end_errors(truth, film(40, x=(begin, end))) == EndErrors((0,), (0,))
    assert end_errors(truth, film(40, x=(3, 38))) == EndErrors((-2,), (2,))


def test_a_short_absence_ends_no_stretch_but_a_cut_does() -> None:
    truth = film(60, a=(0, 60))
    for frame in range(20, 30):
        truth[frame] = []
    held = film(60, x=(0, 60))
    assert end_errors(truth, held, absence=10) == EndErrors((0,), (0,))
    assert end_errors(truth, held, absence=9) == EndErrors((0, -30), (40, 0))
    assert end_errors(film(60, a=(0, 60)), held, cuts=[25], absence=10) == EndErrors((0, 0), (0, 0))


def test_a_face_that_is_never_found() -> None:
    assert end_errors(film(10, a=(0, 10)), {}) == EndErrors((MISSED,), (-MISSED,))


def test_a_track_beside_the_face_does_not_count() -> None:
    truth, found = film(30, a=(0, 30)), film(30, x=(0, 30))
    for frame in range(5):
        found[frame] = [face("x", 25)]
    assert end_errors(truth, found) == EndErrors((5,), (0,))


def test_summary_is_of_sizes() -> None:
    assert summary((-1, 1, 1, -1, 21)) == pytest.approx((1.0, 17.0))
    assert summary(()) == (0.0, 0.0)
