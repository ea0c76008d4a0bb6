"""Figures on pairs of faces, on cosines whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.verification import (
    area_under_curve,
    fitted,
    left_out_losses,
    log_loss,
    shares_of_equal_spread,
    true_positive_rate,
)
from core.models.embedder_spec import Calibration


def test_the_rate_counts_pairs_above_the_allowed_share_of_others() -> None:
    different = np.arange(100) / 100  # 0.00 to 0.99
    cosines = np.array([*different, 0.995, 0.985, 0.5], np.float32)
    same = np.arange(103) >= 100
    assert true_positive_rate(cosines, same, 0.0) == pytest.approx(1 / 3), "above all others"
    assert true_positive_rate(cosines, same, 0.01) == pytest.approx(2 / 3), "one of a hundred may be above"
    assert true_positive_rate(cosines, same, 0.6) == 1
    assert np.isnan(true_positive_rate(cosines, np.zeros(103, bool), 0.01))


def test_the_area_is_the_chance_of_the_right_order() -> None:
    same = np.array([True, True, False, False])
    assert area_under_curve(np.array([0.9, 0.8, 0.2, 0.1], np.float32), same) == 1
    assert area_under_curve(np.array([0.9, 0.15, 0.2, 0.1], np.float32), same) == pytest.approx(3 / 4)
    assert area_under_curve(np.full(4, 0.3, np.float32), same) == pytest.approx(1 / 2)


@pytest.mark.parametrize("truth", [Calibration(midpoint=0.4, slope=14.0), Calibration(midpoint=0.93, slope=120.0)])
def test_the_fit_finds_the_curve_that_made_the_pairs(truth: Calibration) -> None:
    random = np.random.RandomState(0)
    cosines = (truth.midpoint + random.randn(20_000) * 3 / truth.slope).astype(np.float32)
    same = random.rand(20_000) < 1 / (1 + np.exp(-truth.slope * (cosines - truth.midpoint)))
    found = fitted(cosines, same)
    assert (found.midpoint - truth.midpoint) * truth.slope == pytest.approx(0, abs=0.1)
    assert found.slope == pytest.approx(truth.slope, rel=0.05)
    assert log_loss(cosines, same, found) <= log_loss(cosines, same, truth)


def test_the_loss_of_an_even_guess_is_one_bit() -> None:
    curve = Calibration(midpoint=0.5, slope=10.0)
    assert log_loss(np.full(4, 0.5, np.float32), np.array([True, False, True, True]), curve) == pytest.approx(np.log(2))


def test_shares_make_spreads_equal() -> None:
    same = np.zeros(4, bool)
    values = np.array([0.0, 1.0, 0.0, 1.0], np.float32)
    shares = shares_of_equal_spread({"narrow": 0.9 + 0.1 * values, "wide": 0.3 * values}, same)
    assert shares == pytest.approx({"narrow": 0.75, "wide": 0.25})


def test_a_clip_is_judged_by_the_pairs_of_others() -> None:
    """A clip in which high cosines mean different people is a surprise to the others, not to itself."""
    random = np.random.RandomState(1)
    cosines = random.rand(400).astype(np.float32)
    odd = np.arange(400) < 40
    same = (cosines > 0.5) != odd
    clips = [("odd", "odd") if flag else (("usual", "usual"), ("third", "third"))[k % 2] for k, flag in enumerate(odd)]
    losses = left_out_losses(cosines, same, clips)
    assert losses["odd"][1] == 40
    assert losses["odd"][0] > 2
