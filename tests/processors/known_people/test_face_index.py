from __future__ import annotations

import numpy as np
import pytest

from processors.known_people import face_index
from processors.known_people.face_index import ExactFaceIndex


def unit(count: int, seed: int = 0, dimensions: int = 16) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@pytest.mark.parametrize("parts", [[100], [1] * 100, [7, 13, 60, 20], [32, 32, 36]])
def test_finds_what_comparing_everything_finds(monkeypatch: pytest.MonkeyPatch, parts: list[int]) -> None:
    monkeypatch.setattr(face_index, "BLOCK_ROWS", 32)
    vectors, ids = unit(100), np.arange(100, dtype=np.int64)[::-1].copy()
    index = ExactFaceIndex()
    for part in np.split(np.arange(100), np.cumsum(parts)[:-1]):
        index.add(ids[part], vectors[part])
    queries = unit(3, seed=1)
    found, cosines = index.search(queries, 10)
    everything = queries @ vectors.T
    order = np.argsort(-everything, axis=1)[:, :10]
    assert len(index) == 100
    assert np.array_equal(found, ids[order])
    assert cosines == pytest.approx(np.take_along_axis(everything, order, 1), abs=1e-6)


def test_fewer_faces_than_asked_for() -> None:
    index = ExactFaceIndex()
    assert [part.shape for part in index.search(unit(2), 5)] == [(2, 0), (2, 0)]
    index.add(np.array([4, 4]), unit(2))
    found, cosines = index.search(unit(1), 5)
    assert found.tolist() == [[4, 4]] and cosines[0, 0] == pytest.approx(1.0)


def test_shapes_are_checked() -> None:
    index = ExactFaceIndex()
    index.add(np.arange(2), unit(2))
    with pytest.raises(ValueError, match="dimensions"):
        index.add(np.arange(2), unit(2, dimensions=8))
    with pytest.raises(ValueError, match="ids"):
        index.add(np.arange(3), unit(2))
    with pytest.raises(ValueError, match="count"):
        index.search(unit(1), 0)
