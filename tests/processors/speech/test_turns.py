"""Turns out of log-odds, and what becomes of neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.speech.turns import Turn, joined, turns, widened


def spoken(pattern: str) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Frames of 0.1 s; "x" speaks."""
    starts_s = np.arange(len(pattern)) / 10
    marks = {"x": 2.0, "?": np.nan, ".": -2.0}
    return starts_s, starts_s + 0.1, np.array([marks[mark] for mark in pattern])


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("..........", []),
        ("xxxxx", [(0.0, 0.5)]),
        (".xxx..xxx.", [(0.1, 0.9)]),
        (".xxx...xxx.", [(0.1, 0.4), (0.7, 1.0)]),
        (".x.......xx", [(0.9, 1.1)]),
        ("xx??xx", [(0.0, 0.6)]),
        ("????", []),
        ("", []),
    ],
)
def test_pauses_and_short_turns(pattern: str, wanted: list[tuple[float, float]]) -> None:
    found = turns(*spoken(pattern))
    assert [(turn.start_s, turn.end_s) for turn in found] == [pytest.approx(pair) for pair in wanted]


def test_a_hole_in_the_tracklet_divides_a_turn() -> None:
    starts_s = np.array([0.0, 0.1, 0.2, 5.0, 5.1, 5.2])
    found = turns(starts_s, starts_s + 0.1, np.full(6, 3.0))
    assert [(t.start_s, round(t.end_s, 6)) for t in found] == [(0.0, 0.3), (5.0, 5.3)]


def test_overlapping_pieces_of_one_person_are_one_turn() -> None:
    (one,) = joined([Turn(1.0, 2.0, 4.0), Turn(0.0, 1.0, 2.0), Turn(0.2, 0.5, 2.0)])
    assert (one.start_s, one.end_s) == (0.0, 2.0) and 2 < one.score < 4


def test_lead_and_tail_stay_in_the_shot_and_apart() -> None:
    pieces = [Turn(0.1, 1.0, 1.0), Turn(1.2, 2.0, 1.0), Turn(4.0, 5.0, 1.0)]
    found = widened(pieces, 0.0, 5.1, lead_s=0.2, tail_s=0.3)
    assert [(round(t.start_s, 6), round(t.end_s, 6)) for t in found] == [(0.0, 1.1), (1.1, 2.3), (3.8, 5.1)]
