"""A signal measured on the faces of a stored analysis, as a file of its own: one value per frame of each tracklet.

It lies beside the analysis and not in it, so that what is measured later needs no new detection.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.column_file import Column, demand, read_columns, write_columns
from core.types import FaceAnalysis, FloatArray

SIGNAL_SCHEMA = 1
"""raise it when the contents of the file change"""

_ALL = (
    Column("signal_schema", "<i8", (1,)),
    Column("signal_key", "|u1", (64,)),
    Column("signal_tracklets", "<i8"),
    Column("signal_frame_counts", "<i8"),
    Column("signal_values", "<f4"),
)

SIGNAL_COLUMNS = {column.name: column for column in _ALL}
"""all columns of the file, by name"""


def write_signal(path: Path, key: str, columns: Mapping[int, FloatArray]) -> None:
    """Write `columns`, (T,) by tracklet id, atomically. key: 64 hexadecimal digits.

    Raises:
        OSError: it cannot be written.
    """
    ids = sorted(columns)
    values = {
        "signal_schema": [SIGNAL_SCHEMA],
        "signal_key": np.frombuffer(key.encode("ascii"), np.uint8),
        "signal_tracklets": ids,
        "signal_frame_counts": [len(columns[i]) for i in ids],
        "signal_values": np.concatenate([np.zeros(0, np.float32), *(columns[i] for i in ids)]),
    }
    write_columns(path, SIGNAL_COLUMNS, values.items())


def read_signal(path: Path, key: str, analysis: FaceAnalysis) -> dict[int, FloatArray]:
    """What `write_signal` wrote for the tracklets of `analysis`: (T,) float32 by tracklet id.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or of another version, key or analysis.
    """
    found = read_columns(path, SIGNAL_COLUMNS)
    demand(found["signal_schema"].tolist() == [SIGNAL_SCHEMA], "it has another version")
    demand(found["signal_key"].tobytes() == key.encode("ascii"), "it belongs to another signal")
    wanted = {tracklet.id: len(tracklet.frames) for tracklet in analysis.tracklets}
    ids, counts = found["signal_tracklets"].tolist(), found["signal_frame_counts"].tolist()
    values = found["signal_values"]
    fits = len(ids) == len(counts) == len(wanted) and dict(zip(ids, counts, strict=True)) == wanted
    demand(fits and sum(counts) == len(values), "it belongs to another analysis")
    demand(bool(np.isfinite(values).all()), "it holds values that are not finite")
    return dict(zip(ids, np.split(values, np.cumsum(counts)[:-1]), strict=True)) if ids else {}
