"""Growing columns in compact memory: a track of an hour has 90,000 rows."""

from __future__ import annotations

import math
from array import array

import numpy as np

from core.types import FloatArray, IntArray


class RowBuffer:
    """Float32 rows of one shape in one block of memory; a list of small arrays would take ten times as much."""

    def __init__(self, *shape: int) -> None:
        """shape: of one row."""
        self._shape = shape
        self._width = math.prod(shape)
        self._values = array("f")

    def __len__(self) -> int:
        return len(self._values) // self._width

    def __getitem__(self, row: int) -> FloatArray:
        """A copy of one row; negative numbers count from the end.

        Raises:
            IndexError: there is no such row.
        """
        begin = self._begin(row)
        return np.frombuffer(self._values[begin : begin + self._width], np.float32).reshape(self._shape)

    def __setitem__(self, row: int, values: FloatArray) -> None:
        begin = self._begin(row)
        self._values[begin : begin + self._width] = self._flat(values)

    def append(self, values: FloatArray) -> None:
        """Add a row at the end.

        Raises:
            ValueError: the row has another number of values.
        """
        self._values.extend(self._flat(values))

    def insert(self, position: int, values: FloatArray) -> None:
        """Add a row before row `position`; raises like `append`."""
        begin = position * self._width
        self._values[begin:begin] = self._flat(values)

    def last(self, count: int) -> FloatArray:
        """(up to `count`, *shape) float32, a copy of the last rows."""
        return np.frombuffer(self._values[-count * self._width :], np.float32).reshape(-1, *self._shape)

    def stacked(self) -> FloatArray:
        """(T, *shape) float32, a copy."""
        return np.array(self._values, np.float32).reshape(-1, *self._shape)

    def _begin(self, row: int) -> int:
        count = len(self)
        if not -count <= row < count:
            raise IndexError(f"row {row} of {count}")
        return row % count * self._width

    def _flat(self, values: FloatArray) -> array[float]:
        flat = array("f", np.asarray(values, np.float32).tobytes())
        if len(flat) != self._width:
            raise ValueError(f"a row of {len(flat)} values, expected {self._shape}")
        return flat


class FrameValues:
    """One float per measured frame, in frame order."""

    def __init__(self) -> None:
        self._frames = array("q")
        self._values = array("f")

    def note(self, frame: int, value: float) -> None:
        """Add the value of a frame later than all before, or replace the value of the latest one."""
        if self._frames and self._frames[-1] == frame:
            self._values[-1] = value
        else:
            self._frames.append(frame)
            self._values.append(value)

    def nearest(self, frames: IntArray) -> FloatArray:
        """(T,) float32: for each of `frames` the value of the nearest measured frame.

        The earlier one wins a tie. All 0 if nothing was measured.
        """
        if not self._frames:
            return np.zeros(len(frames), np.float32)
        measured, values = np.array(self._frames, np.int64), np.array(self._values, np.float32)
        right = np.clip(np.searchsorted(measured, frames), 0, len(measured) - 1)
        left = np.clip(right - 1, 0, None)
        nearer_left = np.abs(measured[left] - frames) <= np.abs(measured[right] - frames)
        return np.asarray(np.where(nearer_left, values[left], values[right]), np.float32)
