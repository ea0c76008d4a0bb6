"""Columns that grow row by row, as compact as arrays: a face of an hour has 90 000 rows."""

from __future__ import annotations

import math
from array import array

import numpy as np

from core.types import FloatArray


class GrowingRows:
    """Float32 rows of one shape in one piece of memory; as a list of small arrays they would take ten times that."""

    def __init__(self, *shape: int) -> None:
        """shape: of a row."""
        self._shape = shape
        self._width = math.prod(shape)
        self._values = array("f")

    def __len__(self) -> int:
        return len(self._values) // self._width

    def __getitem__(self, row: int) -> FloatArray:
        """A copy of one row; negative numbers count from the end."""
        begin = self._begin(row)
        return np.array(self._values[begin : begin + self._width], np.float32).reshape(self._shape)

    def __setitem__(self, row: int, values: FloatArray) -> None:
        begin = self._begin(row)
        self._values[begin : begin + self._width] = self._flat(values)

    def append(self, values: FloatArray) -> None:
        """Add a row at the end."""
        self._values.extend(self._flat(values))

    def insert(self, position: int, values: FloatArray) -> None:
        """Add a row before row `position`."""
        begin = position * self._width
        self._values[begin:begin] = self._flat(values)

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


class Measurements:
    """One number for some frames, in the order of the frames."""

    def __init__(self) -> None:
        self._frames = array("q")
        self._values = array("f")

    def note(self, frame: int, value: float) -> None:
        """`frame` is the one noted last, whose value is replaced, or a later one."""
        if self._frames and self._frames[-1] == frame:
            self._values[-1] = value
        else:
            self._frames.append(frame)
            self._values.append(value)

    def nearest(self, frames: np.ndarray[tuple[int], np.dtype[np.int64]]) -> FloatArray:
        """(T,) float32 for each of `frames` the value of the frame nearest to it, the earlier of two; 0 without any."""
        if not self._frames:
            return np.zeros(len(frames), np.float32)
        measured, values = np.array(self._frames, np.int64), np.array(self._values, np.float32)
        right = np.clip(np.searchsorted(measured, frames), 0, len(measured) - 1)
        left = np.clip(right - 1, 0, None)
        nearer_left = np.abs(measured[left] - frames) <= np.abs(measured[right] - frames)
        return np.asarray(np.where(nearer_left, values[left], values[right]), np.float32)
