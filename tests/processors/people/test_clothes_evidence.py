"""What clothes say, on colours whose likeness is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import ByteArray, FloatArray, Tracklet
from processors.people.clothes_evidence import ClothesEvidence, WornColours
from tests.material.factories import tracklet
from utils.images.lab_histogram import lab_histogram

Lab = tuple[float, float, float]
SECONDS = np.arange(0, 40_001) / 10


RED, BLUE, BLACK, WHITE = (50.0, 40.0, 20.0), (40.0, 5.0, -30.0), (3.0, 0.0, 0.0), (95.0, 0.0, 0.0)
"""CIELAB"""


def dressed(number: int, start: int, *shares: float, colours: tuple[Lab, Lab] = (RED, BLUE)) -> Tracklet:
    """A tracklet of ten frames whose clothes have these shares of two colours."""
    base = tracklet(number, range(start, start + 10))
    pixels = [lab_histogram(np.array([colour])) for colour in colours]
    clothes: ByteArray = np.rint(255 * np.sqrt([np.array(shares) @ pixels])).astype(np.uint8)
    return dataclasses.replace(base, look_frames=base.frames[:1], clothes=clothes, views=np.zeros((1, 1), np.uint8))


def evidence(*tracklets: Tracklet) -> tuple[FloatArray, NDArray[np.bool_]]:
    everybody = slice(0, len(tracklets))
    return ClothesEvidence(tracklets, SECONDS).block(everybody, everybody)


def log_odds(*tracklets: Tracklet) -> float:
    return float(evidence(*tracklets)[0][0, 1])


def test_likeness_is_the_bhattacharyya_coefficient() -> None:
    worn = WornColours([dressed(0, 0, 1, 0), dressed(1, 20, 0.5, 0.5), dressed(2, 40, 0, 1)])
    expected = [[1, 0.5**0.5, 0], [0.5**0.5, 1, 0.5**0.5], [0, 0.5**0.5, 1]]
    assert worn.likeness(slice(0, 3), slice(0, 3)) == pytest.approx(np.array(expected), abs=0.01)
    assert worn.known.all()


def test_equal_clothes_speak_for_and_other_clothes_against_one_person() -> None:
    assert log_odds(dressed(0, 0, 1, 0), dressed(1, 20, 1, 0)) > 2
    assert log_odds(dressed(0, 0, 1, 0), dressed(1, 20, 0, 1)) < -2


def test_the_same_black_and_white_says_less_than_the_same_colours() -> None:
    # Two men in dinner jackets, in two scenes of one film, were one person.
    def same(*colours: Lab) -> float:
        pair = (colours[0], colours[1])
        return log_odds(dressed(0, 0, 0.8, 0.2, colours=pair), dressed(1, 20, 0.8, 0.2, colours=pair))

    assert 0 < same(BLACK, WHITE) < same(BLACK, BLUE) < same(RED, BLUE)


def test_colour_is_that_of_both_in_the_mean() -> None:
    worn = WornColours([dressed(0, 0, 1, 0), dressed(1, 20, 1, 0, colours=(BLACK, WHITE)), tracklet(2)])
    colour = worn.colour(slice(0, 3), slice(0, 3))
    assert colour[0, 0] == 1 and colour[1, 1] == pytest.approx(0, abs=0.05) and colour[2, 2] == 0
    assert colour[0, 1] == colour[1, 0] == 1, "half of a chroma of 45 is still colourful"


def test_clothes_of_an_unknown_description_say_nothing() -> None:
    other = dataclasses.replace(dressed(0, 0, 1, 0), clothes=np.full((1, 7), 9, np.uint8))
    values, known = evidence(other, dressed(1, 20, 1, 0))
    assert not values[0].any() and not known[0].any()


def test_other_clothes_say_little_an_hour_later() -> None:
    assert -0.2 < log_odds(dressed(0, 0, 1, 0), dressed(1, 36_000, 0, 1)) < 0


def test_unknown_clothes_say_nothing() -> None:
    values, known = evidence(tracklet(0), dressed(1, 20, 0, 0), dressed(2, 40, 1, 0))
    assert not values[:, :2].any() and not known[:, :2].any() and known[2, 2]


def test_no_tracklets_give_no_evidence() -> None:
    assert evidence()[0].shape == (0, 0)
