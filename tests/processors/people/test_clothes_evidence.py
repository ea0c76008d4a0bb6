"""What clothes say, on colours whose likeness is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from core.types import ByteArray, Tracklet
from processors.people.clothes_evidence import clothes_likeness, clothes_log_odds
from tests.material.factories import tracklet

SECONDS = np.arange(0, 40_001) / 10


def dressed(number: int, start: int, *shares: float) -> Tracklet:
    """A tracklet of ten frames whose clothes have these shares of each colour."""
    base = tracklet(number, range(start, start + 10))
    clothes: ByteArray = np.rint(255 * np.sqrt([shares])).astype(np.uint8)
    return dataclasses.replace(base, look_frames=base.frames[:1], clothes=clothes, views=np.zeros((1, 1), np.uint8))


def log_odds(*tracklets: Tracklet) -> float:
    return float(clothes_log_odds(tracklets, SECONDS)[0][0, 1])


def test_likeness_is_the_bhattacharyya_coefficient() -> None:
    likeness, known = clothes_likeness([dressed(0, 0, 1, 0), dressed(1, 20, 0.5, 0.5), dressed(2, 40, 0, 1)])
    expected = [[1, 0.5**0.5, 0], [0.5**0.5, 1, 0.5**0.5], [0, 0.5**0.5, 1]]
    assert likeness == pytest.approx(np.array(expected), abs=0.01)
    assert known.all()


def test_equal_clothes_speak_for_and_other_clothes_against_one_person() -> None:
    assert log_odds(dressed(0, 0, 1, 0), dressed(1, 20, 1, 0)) > 2
    assert log_odds(dressed(0, 0, 1, 0), dressed(1, 20, 0, 1)) < -2


def test_other_clothes_say_little_an_hour_later() -> None:
    assert -0.2 < log_odds(dressed(0, 0, 1, 0), dressed(1, 36_000, 0, 1)) < 0


def test_unknown_clothes_say_nothing() -> None:
    bare = [tracklet(0), dressed(1, 20, 0, 0), dressed(2, 40, 1, 0)]
    values, known = clothes_log_odds(bare, SECONDS)
    assert not values[:, :2].any() and not known[:, :2].any() and known[2, 2]


def test_no_tracklets_give_no_evidence() -> None:
    assert clothes_log_odds([], SECONDS)[0].shape == (0, 0)
