"""The cosines of all pairs of a few hundred tracklets, as one matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.types import FloatArray, Tracklet
from processors.people.tracklet_evidence import SampleCosines
from utils.numbers.pair_matrix import item_blocks


def cosine_matrix(tracklets: Sequence[Tracklet]) -> FloatArray:
    """(N, N) float32, symmetric: `SampleCosines` of every two of `tracklets`, which have embeddings.

    The program compares block by block, because the matrix of a long video would not fit into memory.
    """
    found = np.zeros((len(tracklets), len(tracklets)), np.float32)
    cosines = SampleCosines(tracklets)
    for rows in item_blocks(len(tracklets)):
        for columns in item_blocks(rows.stop):
            found[rows, columns] = cosines.block(rows, columns)
    return np.asarray(np.tril(found) + np.tril(found, -1).T, np.float32)
