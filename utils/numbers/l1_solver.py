"""The linear program behind camera paths, solved by HiGHS directly: importing scipy would take longer than solving."""

from __future__ import annotations

import logging

import highspy
import numpy as np

from utils.numbers.signal_filters import Signal

logger = logging.getLogger(__name__)


def minimize_weighted_l1(rows: Signal, places: Signal, costs: Signal, fixed: Signal) -> Signal | None:
    """x (K,) that begins with `fixed` and minimises sum(costs * |rows @ x - places|); None if the solver fails.

    rows: (N, K). places, costs: (N,).

    Solves the dual program. It has one equation per element of x, whereas the primal has two inequalities per row, and
    its unknowns are only bounded by `costs`. x is the vector of multipliers of its equations.
    """
    free = rows[:, len(fixed) :]
    program = _dual(free, places - rows[:, : len(fixed)] @ fixed, costs)
    # The simplex method is faster, but fails on some programs that the interior point method solves.
    for method in ("simplex", "ipm"):
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        # Presolve takes longer than it saves.
        for name, value in (("output_flag", False), ("threads", 1), ("presolve", "off"), ("solver", method)):
            solver.setOptionValue(name, value)
        solver.passModel(program)
        solver.run()
        status = solver.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return np.concatenate([fixed, solver.getSolution().row_dual])
        logger.debug("%s: %s", method, solver.modelStatusToString(status))
    return None


def _dual(rows: Signal, places: Signal, costs: Signal) -> highspy.HighsLp:
    """Minimise places @ y with rows.T @ y = 0 and |y| <= costs."""
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = rows.shape
    program.col_cost_, program.col_lower_, program.col_upper_ = places, -costs, costs
    program.row_lower_ = program.row_upper_ = np.zeros(rows.shape[1])
    # The columns of the equations are the rows of `rows`, so the non-zeros are in column order.
    row, column = np.nonzero(rows)
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.searchsorted(row, np.arange(len(rows) + 1)).astype(np.int32)
    program.a_matrix_.index_ = column.astype(np.int32)
    program.a_matrix_.value_ = rows[row, column]
    return program
