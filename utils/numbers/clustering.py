"""Constrained agglomerative clustering on a similarity matrix: pure and deterministic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from utils.numbers.pair_matrix import PairMatrix, item_blocks

_ROWS_AT_A_TIME = 128
"""rows of a matrix that are copied at a time"""

ItemPairs = NDArray[np.int64]
"""(K, 2) positions of two items in each row"""


def merge_clusters(
    similarity: NDArray[np.float32],
    cannot_link: ItemPairs,
    threshold: float,
    weights: NDArray[np.floating] | None = None,
    *,
    closeness: float = 0.0,
) -> NDArray[np.int64]:
    """Repeatedly merge the two most similar clusters, as long as their similarity reaches `threshold`.

    The similarity of two clusters is the weighted mean over their pairs of items (average linkage), moved towards
    that of the more similar part by the share `closeness` at every merge. Of equal similarities, the pair with the
    lowest indices is merged first. Memory: none beyond `similarity`, which is overwritten. Time: O(N^2 log N) in
    practice (1 s for N = 2000).

    Args:
        similarity: (N, N) float32, symmetric; larger is more similar. The diagonal is ignored. Overwritten.
        cannot_link: (K, 2) int64, pairs of items that are never in one cluster.
        threshold: least similarity (inclusive) at which two clusters are merged.
        weights: (N,) > 0, weight of each item in the mean; None: equal weights.
        closeness: 0 is average linkage; 1 is single linkage (the nearest pair decides). In between, a part that is
            close outweighs parts that are far.

    Returns:
        (N,) int64 labels 0, 1, ...; clusters are numbered by their first item.

    Raises:
        ValueError: shapes or types do not match, a weight is not positive, a similarity is NaN, the matrix is not
            symmetric, or `closeness` is outside [0, 1].
    """
    n = len(similarity)
    mass = np.ones(n) if weights is None else np.array(weights, np.float64)
    _check(similarity, cannot_link, mass, closeness)
    if n == 0:
        return np.zeros(0, np.int64)

    links = similarity
    one, other = cannot_link.T
    links[one, other] = links[other, one] = -np.inf
    np.fill_diagonal(links, -np.inf)
    parent = np.arange(n)
    best = links.argmax(1)
    best_value = links[parent, best]
    while True:
        i = int(best_value.argmax())
        j = int(best[i])
        if float(best_value[i]) < threshold or best_value[i] == -np.inf:
            return _numbered_by_first_item(parent)
        # argmax returns the lowest index and the matrix is symmetric, so i < j.
        parent[parent == j] = i
        row = _merged_row(links[i], links[j], mass[i], mass[j], closeness)
        row[[i, j]] = -np.inf
        mass[i] += mass[j]
        links[i], links[:, i] = row, row
        links[j], links[:, j] = -np.inf, -np.inf
        best_value[j] = -np.inf
        # A merged row never exceeds its parts, so only rows whose best was i or j have to be searched again.
        stale = np.flatnonzero(((best == i) | (best == j)) & (best_value > -np.inf))
        stale = np.union1d(stale, [i])
        best[stale] = _best_columns(links, stale)
        best_value[stale] = links[stale, best[stale]]


def _check(
    similarity: NDArray[np.float32], cannot_link: ItemPairs, mass: NDArray[np.float64], closeness: float
) -> None:
    """Raise a ValueError unless `merge_clusters` can work with its arguments. mass: (N,) weights of the items."""
    n = len(similarity)
    if similarity.shape != (n, n) or cannot_link.shape[1:] != (2,) or mass.shape != (n,):
        raise ValueError(f"similarity {similarity.shape}, cannot_link {cannot_link.shape}, weights {mass.shape}")
    if similarity.dtype != np.float32 or not _is_symmetric(similarity) or not (mass > 0).all():
        raise ValueError("similarities must be symmetric float32 and numbers, and weights positive")
    if not 0 <= closeness <= 1:
        raise ValueError(f"closeness {closeness}: expected 0 to 1")


def _best_columns(links: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """(R,) column of the largest value in each of `rows`, the lowest if there are several."""
    parts = (rows[begin : begin + _ROWS_AT_A_TIME] for begin in range(0, len(rows), _ROWS_AT_A_TIME))
    return np.concatenate([links[part].argmax(1) for part in parts])


def _is_symmetric(matrix: NDArray[np.float32]) -> bool:
    """NaN is not equal to itself, so a matrix with one is not symmetric."""
    return all(
        np.array_equal(matrix[rows, columns], matrix[columns, rows].T)
        for rows in item_blocks(len(matrix))
        for columns in item_blocks(rows.stop)
    )


def _merged_row(
    a: NDArray[np.float32], b: NDArray[np.float32], mass_a: float, mass_b: float, closeness: float
) -> NDArray[np.float32]:
    allowed = np.isfinite(a) & np.isfinite(b)
    ours, theirs = a[allowed].astype(np.float64), b[allowed].astype(np.float64)
    mean = (mass_a * ours + mass_b * theirs) / (mass_a + mass_b)
    row = np.full(len(a), -np.inf, np.float32)
    row[allowed] = mean + closeness * (np.maximum(ours, theirs) - mean)
    return row


def _numbered_by_first_item(parent: NDArray[np.int64]) -> NDArray[np.int64]:
    # A cluster's root is its lowest item, so sorted roots are in order of first appearance.
    return np.asarray(np.unique(parent, return_inverse=True)[1], np.int64).reshape(-1)


def group_similarity(
    similarity: PairMatrix,
    labels: NDArray[np.int64],
    weights: NDArray[np.floating],
    *,
    closeness: float = 0.0,
) -> NDArray[np.float32]:
    """Similarity of every two groups: the weighted mean over their pairs, moved towards their most similar pair.

    Args:
        similarity: of N items.
        labels: (N,) int64, 0 to G - 1; no group is empty. -1: the item belongs to none.
        weights: (N,) > 0.
        closeness: 0 gives the mean, 1 the best pair.

    Returns:
        (G, G) float32, symmetric; the diagonal compares a group with itself.
    """
    count = int(labels.max(initial=-1)) + 1
    found = np.zeros((count, count), np.float32)
    order = np.argsort(labels, kind="stable")[int((labels < 0).sum()) :]
    if count == 0:
        return found
    mass = np.asarray(weights, np.float64)[order]
    starts = np.searchsorted(labels[order], np.arange(count))
    group_mass = np.add.reduceat(mass, starts)
    for group, members in enumerate(np.split(np.arange(len(order)), starts[1:])):
        total, best = np.zeros(len(order)), np.full(len(order), -np.inf, np.float32)
        for begin in range(0, len(members), _ROWS_AT_A_TIME):
            part = members[begin : begin + _ROWS_AT_A_TIME]
            rows = similarity.rows(order[part])[:, order]
            total += mass[part] @ rows
            np.maximum(best, rows.max(0), out=best)
        mean = np.add.reduceat(total * mass, starts) / (group_mass[group] * group_mass)
        values = mean + closeness * (np.maximum.reduceat(best, starts) - mean)
        found[group, : group + 1] = found[: group + 1, group] = values[: group + 1]
    return found
