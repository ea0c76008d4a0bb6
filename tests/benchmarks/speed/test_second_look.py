"""The arithmetic of what the second look costs."""

from __future__ import annotations

import pytest

from benchmarks.speed.second_look import Look, shares


def test_the_second_look_is_what_is_embedded_beyond_the_faces_kept() -> None:
    found = shares([Look(embedded=40, kept=30, calls=9, analysis_s=10.0, embedding_s=0.8)])
    assert found.embedding == pytest.approx(0.08) and found.second_look == pytest.approx(0.02)


def test_shares_of_several_rounds_are_those_of_the_sums() -> None:
    found = shares([Look(10, 5, 1, 1.0, 0.1), Look(10, 5, 1, 3.0, 0.3)])
    assert found.embedding == pytest.approx(0.1) and found.second_look == pytest.approx(0.05)


def test_a_video_without_faces_costs_nothing() -> None:
    assert shares([Look(0, 0, 0, 2.0, 0.0)]).second_look == 0
