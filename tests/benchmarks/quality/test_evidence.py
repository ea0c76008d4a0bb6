"""How the pairs are weighed to which the curves of who is who are fitted."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.evidence import FOCUS_PARTS, balanced


def test_as_much_of_one_person_as_of_two_at_each_sharpness() -> None:
    # Blurred pairs are mostly of one person, sharp ones mostly of two.
    focus = np.repeat(np.linspace(-2, 1, 12), 10)
    same = np.tile(np.arange(10), 12) < np.repeat(np.linspace(9, 2, 12).round(), 10)
    weights = np.full(120, 1 / 120)
    found = balanced(weights, same, focus)
    edges = np.quantile(focus[same], np.linspace(0, 1, FOCUS_PARTS + 1)[1:-1])
    for part in range(FOCUS_PARTS):
        inside = np.searchsorted(edges, focus, side="right") == part
        assert found[inside & same].sum() == pytest.approx(found[inside & ~same].sum())
        assert found[inside].sum() == pytest.approx(weights[inside].sum())


def test_a_sharpness_with_pairs_of_one_kind_only_stays_as_it_is() -> None:
    same = np.ones(8, bool)
    assert balanced(np.ones(8), same, np.arange(8.0)).tolist() == [1] * 8
