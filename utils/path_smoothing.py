"""Zero-phase smoothing of signals that are known as a whole: medians, Gaussians and L1-optimal camera paths.

The path is that of Grundmann, Kwatra and Essa, "Auto-directed video stabilization with robust L1 optimal
camera paths" (CVPR 2011), with two changes: its unknowns are the control points of a uniform cubic B-spline,
so what comes out is smooth between them and never overshoots them; and it is drawn to its target, so that a
rest is centred instead of lying where the last motion happened to end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils.l1_solver import least_distances
from utils.signal_filters import Signal, gaussian, median, rolling_max, rolling_min

_SAMPLES_PER_KNOT = 2
_OUTSIDE_PENALTY = 400.0
"""per sample and unit outside the bounds: more than any motion costs, yet always feasible"""


@dataclass(frozen=True, slots=True)
class PathStyle:
    """How an L1-optimal path moves. Weights are per unit of the signal.

    knot_hz: control points per second; motions quicker than about a third of this are not followed.
    speed, acceleration, jerk: weights of the first, second and third difference of the control points.
    rest_s: a new place is moved to when it lasts longer than about this, seconds.
    block_s, look_ahead_s: long signals are solved in blocks of this length, each seeing this much of the next.
    """

    knot_hz: float = 5.0
    speed: float = 10.0
    acceleration: float = 10.0
    jerk: float = 60.0
    rest_s: float = 3.0
    block_s: float = 15.0
    look_ahead_s: float = 6.0


def fill_gaps(at: NDArray[np.int64], values: Signal, wanted: NDArray[np.int64]) -> Signal:
    """Columns of `values` (N, C), known at the increasing positions `at` (N,), read at `wanted` (M,).

    Linear in between, held before the first and after the last. Returns (M, C).
    """
    return np.stack([np.interp(wanted, at, column) for column in values.T], axis=1)


def denoise(values: Signal, rate_hz: float, *, median_s: float, gaussian_s: float) -> Signal:
    """Columns of `values` (N, C): outliers shorter than half of `median_s` removed, then a zero-phase Gaussian.

    gaussian_s: its standard deviation, seconds. Ends are mirrored, so that they do not drag.
    """
    width = 2 * round(median_s * rate_hz / 2) + 1
    width = min(width, 2 * ((len(values) - 1) // 2) + 1)
    robust = median(values, width) if width > 1 else values
    return gaussian(robust, gaussian_s * rate_hz, ends="mirrored")


def l1_path(
    target: Signal, lower: Signal, upper: Signal, rate_hz: float, style: PathStyle, *, weights: Signal | None = None
) -> Signal:
    """The calmest path through [lower, upper] that stays near `target`; all (N,), at `rate_hz`. Returns (N,).

    weights: (N,) in (0, 1], how much each sample of the target and of the bounds counts; None: all alike.

    Minimises the L1 norms of the path's first three differences and of its distance from the target: it
    rests, moves at constant speed or accelerates evenly, and changes between these seldom. Zero phase: the
    whole signal is known. Bounds are kept up to what can be followed at `style.knot_hz`.
    """
    count = len(target)
    weights = np.ones(count) if weights is None else weights
    spacing = rate_hz / style.knot_hz  # samples between control points
    knots = math.ceil((count - 1) / spacing) + 3 if count > 1 else 4
    block = max(round(style.block_s * style.knot_hz), 4)
    ahead = round(style.look_ahead_s * style.knot_hz)
    stride = max(1, round(spacing / _SAMPLES_PER_KNOT))
    # Between two samples the bounds are the tightest ones.
    window = 2 * (stride // 2) + 1
    lower, upper = rolling_max(lower, window), rolling_min(upper, window)
    samples = np.unique(np.append(np.arange(0, count, stride), count - 1))
    control = np.zeros(0)
    while len(control) < knots:
        begin = max(len(control) - 3, 0)
        end = min(len(control) + block + ahead, knots)
        if knots - end < ahead:
            end = knots
        chosen = samples[(samples >= begin * spacing) & (samples <= (end - 3) * spacing)]
        basis = _spline_basis(chosen / spacing - begin, end - begin)
        wanted = (target[chosen], lower[chosen], upper[chosen], weights[chosen])
        solved = _solve(basis, *wanted, control[begin:], style)
        keep = knots if end == knots else len(control) + block
        control = np.concatenate([control, solved[len(control) - begin : keep - begin]])
    columns, values = _spline(np.arange(count) / spacing, knots)
    return np.asarray((values * control[columns]).sum(1))


def _spline_basis(positions: Signal, knots: int) -> Signal:
    """(N, knots): what each control point of a uniform cubic B-spline adds at `positions`; see `_spline`."""
    columns, values = _spline(positions, knots)
    basis = np.zeros((len(positions), knots))
    np.put_along_axis(basis, columns, values, 1)
    return basis


def _spline(positions: Signal, knots: int) -> tuple[NDArray[np.int64], Signal]:
    """(N, 4) each: the control points that count at `positions`, in knot intervals from the first, and how much."""
    first = np.clip(np.floor(positions).astype(np.int64), 0, max(knots - 4, 0))
    t = positions - first
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], 1) / 6
    weights[weights < 1e-9] = 0.0
    return first[:, None] + np.arange(4), weights


def _solve(
    basis: Signal,
    target: Signal,
    lower: Signal,
    upper: Signal,
    weights: Signal,
    fixed: Signal,
    style: PathStyle,
) -> Signal:
    """Control points of one block, the first of which are `fixed`: those that cost least.

    All costs are weighted distances |row @ control - place|. What lies outside the bounds is half of what the
    distances from both are more than the distance between them; bounds that cross count as their middle.
    """
    knots = basis.shape[1]
    middle = (lower + upper) / 2
    places = np.concatenate([target, np.minimum(lower, middle), np.maximum(upper, middle)])
    # Staying away from a new place by one unit for `rest_s` costs as much as going there.
    nearness = style.speed / (style.rest_s * style.knot_hz * _SAMPLES_PER_KNOT)
    pulls = np.outer((nearness, _OUTSIDE_PENALTY / 2, _OUTSIDE_PENALTY / 2), weights)
    rest = _weighted_median(places, pulls.ravel())
    if not len(fixed) and _may_rest(basis, places.reshape(pulls.shape) - rest, pulls, style.speed):
        return np.full(knots, rest)

    moving = [np.diff(np.eye(knots), order, axis=0) for order in (1, 2, 3)]
    rows = np.vstack([*moving, basis, basis, basis])
    costs = np.repeat((style.speed, style.acceleration, style.jerk), [len(m) for m in moving])
    # Measured from the rest: the simplex begins at 0, and takes half the time from there.
    places = np.concatenate([np.zeros(len(costs)), places - rest])
    control = least_distances(rows, places, np.concatenate([costs, pulls.ravel()]), fixed - rest)
    return _least_squares(basis, target, fixed) if control is None else rest + control


def _weighted_median(values: Signal, weights: Signal) -> float:
    """What has the least weighted distance from `values` (N,); the largest where several have.

    The largest, since of two heights for a window the greater one shows more and makes its motions smaller.
    """
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, total[-1] * (0.5 + 1e-12))]])


def _may_rest(basis: Signal, places: Signal, pulls: Signal, speed: float) -> bool:
    """Whether staying at 0 is proven to cost least; False: it may or may not. No solver is needed then.

    places, pulls: (3, N), what the samples are drawn to, 0 their weighted median, and how strongly. A rest is an
    optimum if nowhere the pulls on one side add up to more than the price of a motion: these sums are then dual
    variables of the first differences, and those of the others may be 0. Samples that are where they are drawn to
    pull either way, all alike and so that the whole sum is zero.
    """
    least, most = pulls * np.where(places < 0, 1, -1), pulls * np.where(places <= 0, 1, -1)
    undecided = (most - least).sum()
    share = -least.sum() / undecided if undecided else 0.0
    sums = np.cumsum(basis.T @ (least + share * (most - least)).sum(0))
    return bool((np.abs(sums) <= speed).all())


def _least_squares(basis: Signal, target: Signal, fixed: Signal) -> Signal:
    """A smooth path that always exists: near the target in the mean, the third difference kept small."""
    knots = basis.shape[1]
    jerk = np.diff(np.eye(knots), 3, axis=0)
    pinned = np.zeros(knots)
    pinned[: len(fixed)] = 1e6
    matrix = basis.T @ basis + 10 * (jerk.T @ jerk) + np.diag(pinned + 1e-9)
    right = basis.T @ target
    right[: len(fixed)] += pinned[: len(fixed)] * fixed
    return np.asarray(np.linalg.solve(matrix, right))
