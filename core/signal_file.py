"""A signal measured on the faces of a stored analysis, as a file: one float column per tracklet, `.npz`, no pickle.

It lies beside the analysis and not in it, so that what is measured later needs no new detection.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.analysis_file import ColumnTable, read_columns
from core.types import FaceAnalysis, FloatArray
from utils.files import atomic_path

SIGNAL_SCHEMA = 1
"""of the files; to be raised when what they hold changes"""

SIGNAL_COLUMNS: ColumnTable = {
    "signal_schema": ("<i8", (1,)),
    "signal_key": ("|u1", (64,)),
    "signal_tracklets": ("<i8", (None,)),
    "signal_frame_counts": ("<i8", (None,)),
    "signal_values": ("<f4", (None,)),
}


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
    arrays = {name: np.asarray(values[name], dtype) for name, (dtype, _) in SIGNAL_COLUMNS.items()}
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)  # type: ignore[arg-type,unused-ignore]


def read_signal(path: Path, key: str, analysis: FaceAnalysis) -> dict[int, FloatArray]:
    """What `write_signal` wrote for the tracklets of `analysis`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or of another version, key or analysis.
    """
    with path.open("rb") as file:
        found = read_columns(file, SIGNAL_COLUMNS)
    if found["signal_schema"].tolist() != [SIGNAL_SCHEMA]:
        raise ValueError("it is of another version")
    if found["signal_key"].tobytes() != key.encode("ascii"):
        raise ValueError("it belongs to another signal")
    wanted = {tracklet.id: len(tracklet.frames) for tracklet in analysis.tracklets}
    ids, counts = found["signal_tracklets"].tolist(), found["signal_frame_counts"].tolist()
    values = found["signal_values"]
    if len(ids) != len(counts) or dict(zip(ids, counts, strict=True)) != wanted or sum(counts) != len(values):
        raise ValueError("it belongs to another analysis")
    if not np.isfinite(values).all():
        raise ValueError("it holds numbers that are none")
    return dict(zip(ids, np.split(values, np.cumsum(counts)[:-1]), strict=True)) if ids else {}
