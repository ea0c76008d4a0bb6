"""Scores of remixes: who is mixed, and who is in several folders."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.quality.remixes import score, summed


def test_mixed_and_extra_people_are_counted() -> None:
    found = {"1": Counter(ann=8), "2": Counter(ann=2), "3": Counter(bob=6, cid=4), "unknown 7": Counter(bob=5)}
    result = score(0, 30, found)
    assert (result.labelled, result.found, result.people) == (30, 25, 3)
    assert (result.extra, result.split, result.mixed) == (1, ("ann",), ("bob + cid",))
    assert result.unknown == pytest.approx(5 / 25)


def test_sums_are_shares_of_people_and_of_labelled_faces() -> None:
    right = score(0, 10, {"1": Counter(ann=10)})
    split = score(1, 30, {"1": Counter(ann=10), "2": Counter(ann=10)})
    sums = summed([right, split])
    assert (sums["films"], sums["people"], sums["extra"], sums["mixed"]) == (2, 2, 1, 0)
    assert sums["extra_share"] == 0.5 and sums["missed_share"] == pytest.approx(10 / 40)
    assert sums["f1"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)
