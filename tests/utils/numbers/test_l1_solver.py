"""Against scipy's solution of the textbook's program."""

import numpy as np
import pytest
from scipy.optimize import linprog

from utils.numbers.l1_solver import minimize_weighted_l1


@pytest.mark.parametrize("given", [0, 2])
@pytest.mark.parametrize("seed", range(4))
def test_nothing_costs_less(seed, given):
    rng = np.random.default_rng(seed)
    rows = np.where(rng.random((40, 8)) < 0.4, rng.normal(0, 1, (40, 8)), 0.0)
    rows[5] = 0
    places, costs, fixed = rng.normal(0, 3, 40), rng.uniform(0.1, 2, 40), rng.normal(0, 1, given)
    found = minimize_weighted_l1(rows, places, costs, fixed)
    assert found is not None and np.array_equal(found[:given], fixed)
    bound = -np.eye(40)
    best = linprog(
        np.concatenate([np.zeros(8), costs]),
        np.block([[rows, bound], [-rows, bound]]),
        np.concatenate([places, -places]),
        bounds=[*((x, x) for x in fixed), *[(None, None)] * (8 - given), *[(0, None)] * 40],
    )
    assert costs @ np.abs(rows @ found - places) == pytest.approx(best.fun, rel=1e-6)


def test_a_median_is_the_least_distance_from_numbers():
    found = minimize_weighted_l1(np.ones((5, 1)), np.array([1.0, 9.0, 2.0, 4.0, 30.0]), np.ones(5), np.zeros(0))
    assert found is not None and np.allclose(found, 4)
