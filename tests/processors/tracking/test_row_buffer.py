"""Columns that grow: what went in comes out, and they stay small."""

from __future__ import annotations

import numpy as np
import pytest

from processors.tracking.row_buffer import FrameValues, RowBuffer
from processors.tracking.track import Track
from tests.material.allocated_memory import allocated_memory


def rows_of(*values: float) -> RowBuffer:
    rows = RowBuffer(2, 2)
    for value in values:
        rows.append(np.full((2, 2), value, np.float32))
    return rows


def test_rows_come_out_as_they_went_in() -> None:
    rows = rows_of(1, 2, 3)
    rows.insert(1, np.array([[5, 6], [7, 8]], np.float64))
    rows[-1] = np.array([[9, 10], [11, 12]], np.float32)
    assert len(rows) == 4
    assert rows[1].tolist() == [[5, 6], [7, 8]] and rows[-1].tolist() == [[9, 10], [11, 12]]
    assert rows.stacked().shape == (4, 2, 2) and rows.stacked().dtype == np.float32
    assert rows.stacked()[:, 0, 0].tolist() == [1, 5, 2, 9]
    assert RowBuffer(4).stacked().shape == (0, 4)


def test_rows_given_out_are_copies() -> None:
    rows = rows_of(1)
    rows[0][:] = 7
    rows.stacked()[:] = 7
    assert rows[0].tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("row", [3, -4])
def test_a_row_that_is_not_there_is_an_error(row: int) -> None:
    with pytest.raises(IndexError):
        rows_of(1, 2, 3)[row]


def test_a_row_of_another_shape_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 values"):
        RowBuffer(4).append(np.zeros(3, np.float32))
    assert len(RowBuffer(4)) == 0


def test_the_nearest_measurement_counts_the_earlier_of_two() -> None:
    measured = FrameValues()
    for frame, value in ((4, 1.0), (8, 2.0), (8, 3.0)):
        measured.note(frame, value)
    assert measured.nearest(np.array([0, 4, 6, 7, 8, 20])).tolist() == [1, 1, 1, 3, 3, 3]
    assert FrameValues().nearest(np.array([1, 2])).tolist() == [0, 0]


@pytest.mark.slow
def test_an_hour_of_a_face_takes_less_than_ten_megabytes() -> None:
    box, landmarks = np.zeros((1, 4), np.float32), np.zeros((1, 5, 2), np.float32)

    def followed() -> tuple[Track, FrameValues]:
        track, measured = Track(0), FrameValues()
        for frame in range(9_000):
            track.append(frame, box[0] + 1, 0.99, landmarks[0] + 1)
            measured.note(frame, 100.0)
        return track, measured

    assert followed()[0].boxes.stacked().shape == (9_000, 4)
    assert allocated_memory(followed).held < 1_000_000
