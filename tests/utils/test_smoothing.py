"""Signals with known answers."""

from types import SimpleNamespace

import numpy as np
import pytest

from utils import smoothing
from utils.smoothing import PathStyle, denoise, fill_gaps, l1_path

RATE = 25.0


def path(target, slack, style=None):
    style = style or PathStyle()
    return l1_path(target, target - slack, target + slack, RATE, style)


def test_gaps_are_bridged_and_ends_held():
    filled = fill_gaps(np.array([2, 4]), np.array([[0.0, 10.0], [2.0, 30.0]]), np.arange(1, 7))
    assert np.array_equal(filled, [[0, 10], [0, 10], [1, 20], [2, 30], [2, 30], [2, 30]])


def test_denoise_removes_spikes_without_delay():
    t = np.arange(200)
    values = np.stack([0.5 * t, np.zeros(200)], 1)
    values[[50, 120], 1] = 100
    smooth = denoise(values, RATE, median_s=0.25, gaussian_s=0.1)
    assert np.abs(smooth[20:-20, 0] - values[20:-20, 0]).max() < 1e-6
    assert np.abs(smooth[:, 1]).max() < 1e-6
    assert denoise(values[:1], RATE, median_s=0.25, gaussian_s=0.1).shape == (1, 2)


def test_noise_within_the_slack_is_rest_at_its_middle():
    target = np.random.default_rng(0).normal(5.0, 0.03, 1000)
    rest = path(target, 0.12)
    assert np.ptp(rest) < 1e-6
    assert abs(rest[0] - 5.0) < 0.01


def test_even_motion_is_followed_without_lag():
    target = np.arange(500) * 0.01
    moving = path(target, 0.1)
    assert np.abs(moving - target).max() <= 0.1 + 1e-6
    assert np.abs((moving - target)[100:-100]).max() < 0.02
    assert np.abs(np.diff(moving, 2)).max() < 1e-3


def test_a_move_between_two_rests_has_no_overshoot():
    t = np.arange(500)
    target = 2 / (1 + np.exp(-(t - 250) / 8))
    moved = path(target, 0.1)
    assert moved.min() > -1e-3 and moved.max() < 2 + 1e-3
    assert (np.diff(moved) > -1e-6).all()
    assert np.ptp(moved[:150]) < 1e-3 and np.ptp(moved[-150:]) < 1e-3
    assert np.abs(moved - target).max() <= 0.11


def test_a_short_excursion_is_ignored_and_a_lasting_one_followed():
    target = np.zeros(1000)
    target[400:425] = 0.08
    assert np.ptp(path(target, 0.1)) < 1e-6
    target[400:800] = 0.08
    assert path(target, 0.1)[600] == pytest.approx(0.08, abs=0.005)


def test_blocks_join_smoothly():
    rng = np.random.default_rng(1)
    target = np.cumsum(rng.normal(0, 0.02, 1000))
    whole = path(target, 0.1, PathStyle(block_s=1000))
    blocks = path(target, 0.1, PathStyle(block_s=6, look_ahead_s=4))
    assert np.abs(np.diff(blocks, 2)).max() < 3 * np.abs(np.diff(whole, 2)).max()
    assert np.abs(blocks - target).max() < 0.2
    assert np.abs(np.diff(blocks)).sum() < 1.3 * np.abs(np.diff(whole)).sum()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 26])
def test_short_signals(count):
    assert np.allclose(path(np.full(count, 3.0), 0.1), 3.0)


def test_same_input_same_output():
    target = np.cumsum(np.random.default_rng(2).normal(0, 0.02, 300))
    assert np.array_equal(path(target, 0.1), path(target, 0.1))


def test_a_solver_that_gives_up_still_leaves_a_smooth_path(monkeypatch):
    monkeypatch.setattr(smoothing.optimize, "linprog", lambda *_, **__: SimpleNamespace(x=None, message="gave up"))
    target = np.sin(np.arange(800) / 60)
    moved = path(target, 0.1)
    assert np.abs(moved - target).max() < 0.1
    assert np.abs(np.diff(moved, 2)).max() < 2e-3
