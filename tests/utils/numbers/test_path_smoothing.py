"""Signals with known answers."""

import highspy
import numpy as np
import pytest
from scipy.optimize import linprog

from utils.numbers import path_smoothing
from utils.numbers.path_smoothing import PathSamples, PathStyle, denoise, fill_gaps, l1_path, solve_block

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


def costs(target, weights, style):
    """How much each difference, each distance from the target and each distance outside the bounds costs."""
    differences = [np.diff(np.eye(len(target)), order, axis=0) for order in (1, 2, 3)]
    moving = np.repeat([style.speed, style.acceleration, style.jerk], [len(d) for d in differences])
    nearness = style.speed / (style.rest_s * style.knot_hz * 2)
    return np.vstack(differences), moving, nearness * weights, 400 * weights


def price(path, target, lower, upper, weights, style):
    differences, moving, near, outside = costs(target, weights, style)
    beyond = np.maximum(np.maximum(path - upper, lower - path), 0)
    return moving @ np.abs(differences @ path) + near @ np.abs(path - target) + outside @ beyond


def least_price(target, lower, upper, weights, style, fixed):
    """That of the textbook's program: a variable for each distance, two inequalities that bound it."""
    differences, moving, near, outside = costs(target, weights, style)
    unit, none = np.eye(len(target)), np.zeros(len(moving))
    above, below = np.vstack([differences, unit, unit]), -np.vstack([differences, unit, unit])
    bound = -np.eye(len(above))
    ranges = np.full((len(target) + len(above), 2), (-np.inf, np.inf))
    ranges[len(target) :, 0] = 0
    ranges[: len(fixed)] = fixed[:, None]
    solution = linprog(
        np.concatenate([np.zeros(len(target)), moving, near, outside]),
        np.block([[above, bound], [below, bound]]),
        np.concatenate([none, target, upper, none, -target, -lower]),
        bounds=ranges,
    )
    return solution.fun


@pytest.mark.parametrize("seed", range(12))
def test_no_path_costs_less(seed):
    """With bounds that bind, that cross, samples that hardly count, blocks that begin where another ended."""
    rng = np.random.default_rng(seed)
    style = PathStyle()
    target = np.cumsum(rng.normal(0, 0.02, 40)) + 0.2 * (seed % 3) * (np.arange(40) > 20)
    slack = rng.uniform(-0.01, 0.1, 40) if seed % 2 else np.full(40, 0.05)
    weights = np.where(rng.random(40) < 0.2, 0.03, 1.0)
    fixed = target[:3] if seed % 4 == 3 else np.zeros(0)
    sides = target - slack, target + slack
    basis = np.eye(40)
    found = solve_block(basis, PathSamples(target, *sides, weights), fixed, style)
    assert np.allclose(found[: len(fixed)], fixed, rtol=0, atol=1e-12)
    least = least_price(target, *sides, weights, style, fixed)
    assert price(found, target, *sides, weights, style) == pytest.approx(least, rel=1e-5, abs=1e-5)


def test_a_clear_rest_needs_no_solver(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("asked")

    target = np.random.default_rng(3).normal(1.0, 0.03, 100)
    solved = path(np.append(target, 1.3), 0.12)
    monkeypatch.setattr(path_smoothing, "minimize_weighted_l1", refuse)
    rest = path(target, 0.12)
    assert np.ptp(rest) < 1e-12 and abs(rest[0] - 1.0) < 0.01
    # Bounds that the target leaves: no further than they ask.
    assert np.allclose(l1_path(target, np.full(100, 1.2), np.full(100, 1.5), RATE, PathStyle()), 1.2)
    with pytest.raises(AssertionError, match="asked"):
        path(np.append(target, 1.3), 0.12)
    assert np.ptp(solved) > 0.01


def test_of_two_equal_rests_the_larger_one():
    assert np.allclose(path(np.repeat([1.0, 1.02], 13), 0.1), 1.02)


def solver_without(*weak):
    """A HiGHS that finds nothing by the methods `weak`, and the list of those it was asked to use."""
    asked = []

    class Moody(highspy.Highs):
        def setOptionValue(self, name, value):
            if name == "solver":
                asked.append(value)
            return super().setOptionValue(name, value)

        def getModelStatus(self):
            return highspy.HighsModelStatus.kUnknown if asked[-1] in weak else super().getModelStatus()

    return Moody, asked


def test_where_the_simplex_gives_up_the_interior_point_method_finds_the_path(monkeypatch):
    target = np.sin(np.arange(200) / 20)
    expected = path(target, 0.1)
    solver, asked = solver_without("simplex")
    monkeypatch.setattr(highspy, "Highs", solver)
    assert np.allclose(path(target, 0.1), expected, atol=1e-5)
    assert asked == ["simplex", "ipm"]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 26])
def test_short_signals(count):
    assert np.allclose(path(np.full(count, 3.0), 0.1), 3.0)


def test_same_input_same_output():
    target = np.cumsum(np.random.default_rng(2).normal(0, 0.02, 300))
    assert np.array_equal(path(target, 0.1), path(target, 0.1))


def test_a_solver_that_gives_up_still_leaves_a_smooth_path(monkeypatch):
    monkeypatch.setattr(highspy, "Highs", solver_without("simplex", "ipm")[0])
    target = np.sin(np.arange(800) / 60)
    moved = path(target, 0.1)
    assert np.abs(moved - target).max() < 0.1
    assert np.abs(np.diff(moved, 2)).max() < 2e-3
