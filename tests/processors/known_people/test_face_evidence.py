from __future__ import annotations

import numpy as np
import pytest

from core.models.link_curve import LinkCurve
from processors.known_people.face_evidence import FaceSet, log_odds

CURVE = LinkCurve(midpoint=0.5, slope=10.0)


def towards(*degrees: float, appearances: list[int] | None = None) -> FaceSet:
    angles = np.radians(degrees)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    numbers = None if appearances is None else np.array(appearances, np.int64)
    return FaceSet(vectors, np.ones(len(degrees), np.float32), numbers)


def odds(*degrees: float) -> float:
    """The mean log-odds of faces so far apart."""
    return float(np.mean([10 * (np.cos(np.radians(angle)) - 0.5) for angle in degrees]))


def test_the_mean_of_several_appearances_is_half_of_the_evidence() -> None:
    somebody = towards(0)
    assert log_odds(towards(-45, 45), somebody, CURVE) == pytest.approx(odds(0), abs=1e-4)
    twice = towards(-45, 45, appearances=[7, 9])
    assert log_odds(twice, somebody, CURVE) == pytest.approx((odds(0) + odds(45)) / 2, abs=1e-4)
    assert log_odds(somebody, twice, CURVE) == log_odds(twice, somebody, CURVE)
    once = towards(-45, 45, appearances=[7, 7])
    assert log_odds(once, somebody, CURVE) == pytest.approx(odds(0), abs=1e-4)


def test_only_the_better_half_of_the_pairs_of_appearances_counts() -> None:
    looks = towards(0, 60, 90, appearances=[0, 1, 2])
    mean = float(np.degrees(np.arctan2(*looks.mean[::-1])))
    assert log_odds(looks, towards(0), CURVE) == pytest.approx((odds(mean) + odds(0, 60)) / 2, abs=1e-4)


def test_joined_faces_keep_their_appearances() -> None:
    first, second = towards(0, 10, appearances=[3, 4]), towards(20, 30, 40, appearances=[3, 3, 0])
    joined = first.joined(second)
    assert joined.appearances is not None
    assert [len(one) for one in joined.by_appearance] == [1, 1, 1, 2]
    assert [len(one) for one in towards(0).joined(towards(10)).by_appearance] == [1, 1]
    assert towards(0).joined(towards(10), one_appearance=True).appearances is None
    nobody = FaceSet(np.zeros((0, 0), np.float32), np.zeros(0, np.float32))
    assert nobody.joined(first) is first and first.joined(nobody) is first
    assert [len(one) for one in joined.best(2).by_appearance] == [1, 1]
    with pytest.raises(ValueError, match="appearances"):
        FaceSet(first.vectors, first.quality, np.zeros(3, np.int64))
