"""Nearest faces by cosine: a two-method interface and an exact implementation in numpy."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from core.types import FloatArray, IntArray

BLOCK_ROWS = 16384
"""rows per block; growing adds a block instead of copying everything, and a search needs scratch for one block"""


class FaceIndex(Protocol):
    """What the gallery needs of an index; an approximate one may take over where there are millions of faces."""

    def add(self, ids: IntArray, vectors: FloatArray) -> None:
        """Add faces. ids: (N,) int64, need not be unique. vectors: (N, D) float32, rows of unit length."""
        ...

    def search(self, queries: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
        """The `count` nearest faces of each query, nearest first.

        queries: (Q, D) float32, rows of unit length. Returns ids (Q, K) int64 and cosines (Q, K) float32, where
        K = min(count, number of faces).
        """
        ...


class ExactFaceIndex:
    """Compares a query with every face: blocks of float32 rows, one matrix product per block. Not thread-safe."""

    def __init__(self) -> None:
        self._blocks: list[FloatArray] = []
        self._ids: list[IntArray] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, ids: IntArray, vectors: FloatArray) -> None:
        """See `FaceIndex.add`.

        Raises:
            ValueError: shapes do not fit each other or the faces added before.
        """
        if vectors.ndim != 2 or ids.shape != (len(vectors),):
            raise ValueError(f"ids {ids.shape}, vectors {vectors.shape}")
        if self._blocks and vectors.shape[1] != self._blocks[0].shape[1]:
            raise ValueError(f"vectors {vectors.shape}, known ones have {self._blocks[0].shape[1]} dimensions")
        done = 0
        while done < len(vectors):
            used = self._size % BLOCK_ROWS
            if used == 0:
                self._blocks.append(np.empty((BLOCK_ROWS, vectors.shape[1]), np.float32))
                self._ids.append(np.empty(BLOCK_ROWS, np.int64))
            count = min(BLOCK_ROWS - used, len(vectors) - done)
            self._blocks[-1][used : used + count] = vectors[done : done + count]
            self._ids[-1][used : used + count] = ids[done : done + count]
            self._size += count
            done += count

    def search(self, queries: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
        """See `FaceIndex.search`.

        Raises:
            ValueError: `count` is less than 1.
        """
        if count < 1:
            raise ValueError(f"count {count}; at least 1")
        found_ids = np.zeros((len(queries), 0), np.int64)
        found = np.zeros((len(queries), 0), np.float32)
        for number, (block, ids) in enumerate(zip(self._blocks, self._ids, strict=True)):
            rows = min(BLOCK_ROWS, self._size - number * BLOCK_ROWS)
            # This way round the product is twice as fast for a few queries.
            cosines = np.ascontiguousarray((block[:rows] @ queries.T).T)
            if rows > count:
                # Sorting all of a block would take longer than the product.
                best = np.sort(np.argpartition(-cosines, count, axis=1)[:, :count], axis=1)
                cosines, near = np.take_along_axis(cosines, best, 1), ids[best]
            else:
                near = np.broadcast_to(ids[:rows], cosines.shape)
            found = np.concatenate([found, cosines], axis=1)
            found_ids = np.concatenate([found_ids, near], axis=1)
        order = np.argsort(-found, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(found_ids, order, 1), np.take_along_axis(found, order, 1)
