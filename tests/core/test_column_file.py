"""Files of columns as numpy writes them, one column in memory at a time."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.column_file import Column, read_columns, write_columns

TABLE = {column.name: column for column in (Column("counts", "<i8"), Column("boxes", "<f4", (None, 4)))}
COUNTS, BOXES = [3, 1, 2], np.asfortranarray(np.arange(24, dtype=np.float64).reshape(6, 4))


def test_the_file_is_what_numpy_writes(tmp_path: Path) -> None:
    write_columns(tmp_path / "ours.npz", TABLE, [("counts", COUNTS), ("boxes", BOXES)])
    counts, boxes = np.array(COUNTS, "<i8"), np.ascontiguousarray(BOXES, "<f4")
    np.savez(tmp_path / "numpy.npz", counts=counts, boxes=boxes)
    assert (tmp_path / "ours.npz").read_bytes() == (tmp_path / "numpy.npz").read_bytes()
    found = read_columns(tmp_path / "ours.npz", TABLE)
    np.testing.assert_array_equal(found["counts"], counts, strict=True)
    np.testing.assert_array_equal(found["boxes"], boxes, strict=True)


def test_one_column_is_in_memory_at_a_time(tmp_path: Path) -> None:
    made: list[weakref.ref[np.ndarray[Any, Any]]] = []

    def column(values: list[float], dtype: str) -> np.ndarray[Any, Any]:
        array = np.array(values, dtype)
        made.append(weakref.ref(array))
        return array

    def columns() -> Iterator[tuple[str, Any]]:
        yield "first", column([1], "<i8")
        yield "second", column([2], "<f4")
        gc.collect()
        assert made[0]() is None
        yield "third", column([3], "<f4")

    table = {name: Column(name, dtype) for name, dtype in (("first", "<i8"), ("second", "<f4"), ("third", "<f4"))}
    write_columns(tmp_path / "columns.npz", table, columns())
    assert len(made) == 3


@pytest.mark.parametrize("columns", [[("counts", COUNTS)], [("counts", COUNTS), ("boxes", BOXES), ("more", [])]])
def test_columns_that_are_not_those_of_the_table_leave_no_file(tmp_path: Path, columns: list[tuple[str, Any]]) -> None:
    with pytest.raises(ValueError, match="argument 2"):
        write_columns(tmp_path / "columns.npz", TABLE, columns)
    assert list(tmp_path.iterdir()) == []
