"""Pairs of rows and columns with the largest sum (the assignment problem); importing scipy for it costs 31 MB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_pairs(gain: NDArray[np.floating]) -> list[tuple[int, int]]:
    """As many (row, column) pairs as the shorter side allows, none in a row or column twice, with the largest sum.

    gain: (N, M), finite. The pairs come in the order of the rows. Shortest augmenting paths with potentials (Jonker and
    Volgenant 1987): N^2 M at most, so meant for tens of rows.
    """
    rows, columns = gain.shape
    if rows > columns:
        return sorted((row, column) for column, row in best_pairs(gain.T))
    cost = -gain.astype(np.float64)
    row_potential, column_potential = np.zeros(rows), np.zeros(columns)
    row_of = np.full(columns, -1)
    for start in range(rows):
        # Dijkstra's algorithm over the columns, from the row that has none yet to the nearest column that is free.
        distance, before = np.full(columns, np.inf), np.full(columns, -1)
        is_done = np.zeros(columns, bool)
        row, column, reached = start, -1, 0.0
        while row >= 0:
            through = reached + cost[row] - row_potential[row] - column_potential
            is_nearer = ~is_done & (through < distance)
            distance[is_nearer], before[is_nearer] = through[is_nearer], column
            column = int(np.where(is_done, np.inf, distance).argmin())
            reached = float(distance[column])
            is_done[column] = True
            row = int(row_of[column])
        # The free column is done, too, but its potential changes by 0.
        change = np.where(is_done, reached - distance, 0.0)
        column_potential -= change
        passed = row_of >= 0
        row_potential[row_of[passed]] += change[passed]
        row_potential[start] += reached
        while column >= 0:
            previous = int(before[column])
            row_of[column] = start if previous < 0 else row_of[previous]
            column = previous
    return sorted((int(row), column) for column, row in enumerate(row_of) if row >= 0)
