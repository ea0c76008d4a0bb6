"""Zero-phase smoothing of signals that are known as a whole: medians, Gaussians and L1-optimal camera paths.

The path is that of Grundmann, Kwatra and Essa, "Auto-directed video stabilization with robust L1 optimal camera
paths" (CVPR 2011), with two changes: the unknowns are the control points of a uniform cubic B-spline, so that the
result is smooth between them and never overshoots them; and the distance from a target is penalised, so that a rest is
centred on it instead of lying where the last motion happened to end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils.numbers.l1_solver import minimize_weighted_l1
from utils.numbers.signal_filters import Signal, gaussian, median, rolling_max, rolling_min

_SAMPLES_PER_KNOT = 2
_OUTSIDE_PENALTY = 400.0
"""cost per sample and unit outside the bounds; above the cost of any motion, but the program stays feasible"""


@dataclass(frozen=True, slots=True)
class PathStyle:
    """How an L1-optimal path moves. Weights are per unit of the signal.

    knot_hz: control points per second; motion faster than about a third of this is not followed.
    speed, acceleration, jerk: weights of the first, second and third differences of the control points.
    rest_s: the path moves to a new place if the target stays there for longer than about this, seconds.
    block_s, look_ahead_s: long signals are solved in blocks of this length, each with this much of the next.
    """

    knot_hz: float = 5.0
    speed: float = 10.0
    acceleration: float = 10.0
    jerk: float = 60.0
    rest_s: float = 3.0
    block_s: float = 15.0
    look_ahead_s: float = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class PathSamples:
    """What an L1-optimal path is to follow; all (N,) float64.

    target: where it should be. lower, upper: bounds that it should keep. weights: of each sample, in (0, 1].
    """

    target: Signal
    lower: Signal
    upper: Signal
    weights: Signal

    def at(self, chosen: NDArray[np.int64]) -> PathSamples:
        """The samples `chosen` (M,) only."""
        return PathSamples(self.target[chosen], self.lower[chosen], self.upper[chosen], self.weights[chosen])


def fill_gaps(at: NDArray[np.int64], values: Signal, wanted: NDArray[np.int64]) -> Signal:
    """Columns of `values` (N, C), known at the increasing positions `at` (N,), interpolated at `wanted` (M,).

    Linear in between, constant before the first and after the last. Returns (M, C).
    """
    return np.stack([np.interp(wanted, at, column) for column in values.T], axis=1)


def denoise(values: Signal, rate_hz: float, *, median_s: float, gaussian_s: float) -> Signal:
    """Columns of `values` (N, C) without outliers shorter than half of `median_s`, under a zero-phase Gaussian.

    gaussian_s: standard deviation, seconds. The signal is mirrored at its ends, so that they are not biased.
    """
    width = 2 * round(median_s * rate_hz / 2) + 1
    width = min(width, 2 * ((len(values) - 1) // 2) + 1)
    robust = median(values, width) if width > 1 else values
    return gaussian(robust, gaussian_s * rate_hz, ends="mirrored")


def l1_path(
    target: Signal, lower: Signal, upper: Signal, rate_hz: float, style: PathStyle, *, weights: Signal | None = None
) -> Signal:
    """The calmest path within [lower, upper] that stays near `target`; all (N,), at `rate_hz`. Returns (N,).

    weights: (N,) in (0, 1], weight of each sample of the target and the bounds; None: equal weights.

    Minimises the L1 norms of the path's first three differences and of its distance from the target. Such a path
    rests, moves at constant speed or accelerates evenly, and rarely changes between these. Bounds are kept as far as
    control points at `style.knot_hz` can follow them.
    """
    count = len(target)
    spacing = rate_hz / style.knot_hz  # samples between control points
    knots = math.ceil((count - 1) / spacing) + 3 if count > 1 else 4
    block = max(round(style.block_s * style.knot_hz), 4)
    ahead = round(style.look_ahead_s * style.knot_hz)
    stride = max(1, round(spacing / _SAMPLES_PER_KNOT))
    # Each sample stands for those around it, so the tightest bounds among them apply.
    window = 2 * (stride // 2) + 1
    tightest = rolling_max(lower, window), rolling_min(upper, window)
    signal = PathSamples(target, *tightest, np.ones(count) if weights is None else weights)
    samples = np.unique(np.append(np.arange(0, count, stride), count - 1))
    control = np.zeros(0)
    while len(control) < knots:
        begin = max(len(control) - 3, 0)
        end = min(len(control) + block + ahead, knots)
        if knots - end < ahead:
            end = knots
        chosen = samples[(samples >= begin * spacing) & (samples <= (end - 3) * spacing)]
        basis = _spline_basis(chosen / spacing - begin, end - begin)
        solved = solve_block(basis, signal.at(chosen), control[begin:], style)
        keep = knots if end == knots else len(control) + block
        control = np.concatenate([control, solved[len(control) - begin : keep - begin]])
    columns, values = _spline(np.arange(count) / spacing, knots)
    return np.asarray((values * control[columns]).sum(1))


def _spline_basis(positions: Signal, knots: int) -> Signal:
    """(N, knots): weight of each control point of a uniform cubic B-spline at `positions`; see `_spline`."""
    columns, values = _spline(positions, knots)
    basis = np.zeros((len(positions), knots))
    np.put_along_axis(basis, columns, values, 1)
    return basis


def _spline(positions: Signal, knots: int) -> tuple[NDArray[np.int64], Signal]:
    """(N, 4) each: the control points that act at `positions`, and their weights.

    positions: (N,), in knot intervals from the first.
    """
    first = np.clip(np.floor(positions).astype(np.int64), 0, max(knots - 4, 0))
    t = positions - first
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], 1) / 6
    weights[weights < 1e-9] = 0.0
    return first[:, None] + np.arange(4), weights


def solve_block(basis: Signal, samples: PathSamples, fixed: Signal, style: PathStyle) -> Signal:
    """The control points (knots,) of one block of a path with the least cost.

    basis: (N, knots), weight of each control point at each of the N samples. fixed: the first control points, from the
    block before.

    All costs are weighted distances |row @ control - place|. The distance outside the bounds is half the excess of the
    sum of the distances from both bounds over the distance between them. Bounds that cross are replaced by their mean.
    """
    knots = basis.shape[1]
    middle = (samples.lower + samples.upper) / 2
    places = np.concatenate([samples.target, np.minimum(samples.lower, middle), np.maximum(samples.upper, middle)])
    # Staying one unit away from a new place for `rest_s` costs as much as moving there.
    nearness = style.speed / (style.rest_s * style.knot_hz * _SAMPLES_PER_KNOT)
    pulls = np.outer((nearness, _OUTSIDE_PENALTY / 2, _OUTSIDE_PENALTY / 2), samples.weights)
    rest = _weighted_median(places, pulls.ravel())
    if not len(fixed) and _rest_is_optimal(basis, places.reshape(pulls.shape) - rest, pulls, style.speed):
        return np.full(knots, rest)

    moving = [np.diff(np.eye(knots), order, axis=0) for order in (1, 2, 3)]
    rows = np.vstack([*moving, basis, basis, basis])
    costs = np.repeat((style.speed, style.acceleration, style.jerk), [len(m) for m in moving])
    # Relative to the rest, because the simplex starts at 0 and takes half the time from there.
    places = np.concatenate([np.zeros(len(costs)), places - rest])
    control = minimize_weighted_l1(rows, places, np.concatenate([costs, pulls.ravel()]), fixed - rest)
    return _least_squares(basis, samples.target, fixed) if control is None else rest + control


def _weighted_median(values: Signal, weights: Signal) -> float:
    """The value with the least weighted distance from `values` (N,); the largest of several.

    Of two window heights the larger one shows more of the frame and makes motion smaller.
    """
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, total[-1] * (0.5 + 1e-12))]])


def _rest_is_optimal(basis: Signal, places: Signal, pulls: Signal, speed: float) -> bool:
    """Whether resting at 0 is proven to be optimal, so that no solver is needed; False proves nothing.

    places, pulls: (3, N), what each sample is pulled to (0 is the weighted median) and how strongly. A rest is optimal
    if the running sum of the pulls nowhere exceeds the cost of motion: the sums are then feasible dual variables of
    the first differences, with 0 for all other differences. Samples that are at their place may pull either way; they
    are all given the share that makes the total zero.
    """
    lowest, highest = pulls * np.where(places < 0, 1, -1), pulls * np.where(places <= 0, 1, -1)
    undecided = (highest - lowest).sum()
    share = -lowest.sum() / undecided if undecided else 0.0
    sums = np.cumsum(basis.T @ (lowest + share * (highest - lowest)).sum(0))
    return bool((np.abs(sums) <= speed).all())


def _least_squares(basis: Signal, target: Signal, fixed: Signal) -> Signal:
    """Fallback that always has a solution: least squares to the target with a small third difference."""
    knots = basis.shape[1]
    jerk = np.diff(np.eye(knots), 3, axis=0)
    pinned = np.zeros(knots)
    pinned[: len(fixed)] = 1e6
    matrix = basis.T @ basis + 10 * (jerk.T @ jerk) + np.diag(pinned + 1e-9)
    right = basis.T @ target
    right[: len(fixed)] += pinned[: len(fixed)] * fixed
    return np.asarray(np.linalg.solve(matrix, right))
