"""Constrained agglomerative clustering on a similarity matrix: pure and deterministic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK_ROWS = 256


def merge_clusters(
    similarity: NDArray[np.floating],
    cannot_link: NDArray[np.bool_],
    threshold: float,
    weights: NDArray[np.floating] | None = None,
    *,
    closeness: float = 0.0,
) -> NDArray[np.int64]:
    """Repeatedly merge the two most similar clusters, as long as their similarity reaches `threshold`.

    The similarity of two clusters is the weighted mean over their pairs of items (average linkage), moved towards
    that of the more similar part by the share `closeness` at every merge. Of equal similarities, the pair with the
    lowest indices is merged first. Memory: one (N, N) float64 matrix. Time: O(N^2 log N) in practice (1 s for
    N = 2000).

    Args:
        similarity: (N, N), symmetric; larger is more similar. The diagonal is ignored.
        cannot_link: (N, N) bool, symmetric; True keeps two items, and all clusters that hold them, apart.
        threshold: least similarity (inclusive) at which two clusters are merged.
        weights: (N,) > 0, weight of each item in the mean; None: equal weights.
        closeness: 0 is average linkage, 1 is single linkage.

    Returns:
        labels: (N,) int64, clusters numbered from 0 by their first item.

    Raises:
        ValueError: shapes do not match, a similarity is NaN, or a weight is not positive.
    """
    n = len(similarity)
    mass = np.ones(n) if weights is None else np.array(weights, np.float64)
    if similarity.shape != (n, n) or cannot_link.shape != (n, n) or mass.shape != (n,):
        raise ValueError(f"similarity {similarity.shape}, cannot_link {cannot_link.shape}, weights {mass.shape}")
    if np.isnan(similarity).any() or not (mass > 0).all():
        raise ValueError("similarities must be numbers and weights positive")
    if not 0 <= closeness <= 1:
        raise ValueError(f"closeness {closeness}: expected 0 to 1")
    if n == 0:
        return np.zeros(0, np.int64)

    # The lowest-index rule below needs exact symmetry. In blocks of rows, because all at once would take three more
    # matrices of this size, and a video of an hour has thousands of items.
    links = np.empty((n, n))
    for begin in range(0, n, _BLOCK_ROWS):
        rows = slice(begin, begin + _BLOCK_ROWS)
        links[rows] = (similarity[rows].astype(np.float64) + similarity[:, rows].T) / 2
    links[cannot_link] = -np.inf
    np.fill_diagonal(links, -np.inf)
    parent = np.arange(n)
    best = links.argmax(1)
    best_value = links[parent, best]
    while True:
        i = int(best_value.argmax())
        j = int(best[i])
        if best_value[i] < threshold or best_value[i] == -np.inf:
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
        best[stale] = links[stale].argmax(1)
        best_value[stale] = links[stale, best[stale]]


def _merged_row(
    a: NDArray[np.float64], b: NDArray[np.float64], mass_a: float, mass_b: float, closeness: float
) -> NDArray[np.float64]:
    allowed = np.isfinite(a) & np.isfinite(b)
    mean = (mass_a * a[allowed] + mass_b * b[allowed]) / (mass_a + mass_b)
    row = np.full(len(a), -np.inf)
    row[allowed] = mean + closeness * (np.maximum(a[allowed], b[allowed]) - mean)
    return row


def _numbered_by_first_item(parent: NDArray[np.int64]) -> NDArray[np.int64]:
    # A cluster's root is its lowest item, so sorted roots are in order of first appearance.
    return np.asarray(np.unique(parent, return_inverse=True)[1], np.int64).reshape(-1)


def group_similarity(
    similarity: NDArray[np.floating],
    labels: NDArray[np.int64],
    weights: NDArray[np.floating],
    *,
    closeness: float = 0.0,
) -> NDArray[np.float64]:
    """Similarity of every two groups: the weighted mean over their pairs, moved towards that of their best pair.

    Args:
        similarity: (N, N), symmetric.
        labels: (N,) int64, 0 to G - 1; no group is empty.
        weights: (N,) > 0.
        closeness: 0 gives the mean, 1 the best pair.

    Returns:
        (G, G) float64; the diagonal compares a group with itself.
    """
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(labels.max(initial=-1) + 1))
    if len(starts) == 0:
        return np.zeros((0, 0))
    rows = np.asarray(similarity)[np.ix_(order, order)].astype(np.float64)
    mass = np.asarray(weights, np.float64)[order]
    best = np.maximum.reduceat(np.maximum.reduceat(rows, starts, axis=0), starts, axis=1)
    rows *= mass[:, None]
    rows *= mass
    total = np.add.reduceat(np.add.reduceat(rows, starts, axis=0), starts, axis=1)
    group_mass = np.add.reduceat(mass, starts)
    mean = total / (group_mass[:, None] * group_mass)
    return np.asarray(mean + closeness * (best - mean), np.float64)
