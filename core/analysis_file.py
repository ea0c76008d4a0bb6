"""One analysis as a file of plain columns, one of which holds JSON; nothing in it can be executed.

A new column of `Tracklet` is one row in `FRAME_COLUMNS`, `SAMPLE_COLUMNS` or `LOOK_COLUMNS`; named signals need no row
at all.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.column_file import Column, demand, read_columns, write_columns
from core.types import FaceAnalysis, PixelBox, Shot, Tracklet, VideoInfo
from utils.processes.spill_file import SpillFile

STORE_SCHEMA = 4
"""raise it when the contents of the file change"""

MAX_TRACKLETS = 1_000_000
_MAX_META_BYTES = 1 << 24
_MAX_SIDE_PX = 1 << 16

# R tracklets, T of their frames, K samples, M looks around, N frames of the video.
FRAME_COLUMNS = (
    Column("frames", "<i8"),
    Column("boxes", "<f4", (None, 4)),
    Column("scores", "<f4"),
    Column("landmarks", "<f4", (None, 5, 2)),
    Column("sharpness", "<f4"),
)
"""fields of `Tracklet` with a row per frame: T rows"""

SAMPLE_COLUMNS = (
    Column("sample_frames", "<i8"),
    Column("sample_quality", "<f4"),
    Column("embeddings", "<f4", (None, None)),
)
"""fields of `Tracklet` with a row per sample: K rows"""

LOOK_COLUMNS = (
    Column("look_frames", "<i8"),
    Column("clothes", "|u1", (None, None)),
    Column("views", "|u1", (None, None)),
)
"""fields of `Tracklet` with a row per look around the face: M rows"""

_OTHER_COLUMNS = (
    Column("meta", "|u1"),
    Column("frame_pts", "<i8"),
    Column("tracklet_ids", "<i8"),
    Column("tracklet_shots", "<i8"),
    Column("replacements", "|u1"),
    Column("frame_counts", "<i8"),
    Column("sample_counts", "<i8"),
    Column("look_counts", "<i8"),
    Column("face_sizes", "<i8"),
    Column("faces", "|u1"),
    Column("signal_values", "<f4"),
)

COLUMNS = {column.name: column for column in (*_OTHER_COLUMNS, *FRAME_COLUMNS, *SAMPLE_COLUMNS, *LOOK_COLUMNS)}
"""all columns of the file, by name"""

_Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisRecord:
    """An analysis, with what a manifest states about how it was made.

    key: identifies it in the store. models: their description. warnings: for the user, about the models.
    cached: it was made by an earlier run.
    """

    key: str
    analysis: FaceAnalysis
    models: dict[str, Any]
    warnings: tuple[str, ...]
    cached: bool = False


class _Meta(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    schema: int
    key: str
    video: VideoInfo
    shots: tuple[Shot, ...]
    embedder: str
    decode_failures: int
    # None stands for a value that is not finite, which JSON cannot hold.
    statistics: dict[str, int | float | None]
    models: dict[str, Any]
    warnings: tuple[str, ...]
    clock_shifts: tuple[int, ...] = ()
    origin_pts: int | None = None
    # The signals in the order of `signal_values`: name, and rows of the tracklets that have it.
    signals: tuple[tuple[str, tuple[int, ...]], ...] = ()


def write_record(path: Path, record: AnalysisRecord) -> None:
    """Write `record` to `path`, atomically.

    Raises:
        OSError: it cannot be written.
    """
    write_columns(path, COLUMNS, _each_column(record))


def read_record(path: Path, key: str) -> AnalysisRecord:
    """The record in `path`. Its contents are not trusted.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, not of this program and version, or has another key.
    """
    columns = read_columns(path, COLUMNS)
    try:
        meta = _read_meta(columns)
        demand(meta.key == key, "it belongs to another video or other settings")
        return _from_columns(meta, columns)
    except (IndexError, OverflowError) as error:
        raise ValueError(f"its columns do not fit together: {error}") from error


def read_video_path(path: Path) -> Path:
    """Path of the video when the record in `path` was made; raises like `read_record`."""
    return _read_meta(read_columns(path, COLUMNS, ["meta"])).video.path


def _each_column(record: AnalysisRecord) -> Iterator[tuple[str, Any]]:
    """Name and values of the columns, in the order of `COLUMNS`."""
    analysis, tracklets = record.analysis, record.analysis.tracklets
    names = sorted({name for t in tracklets for name in t.signals})
    signals = tuple((name, tuple(row for row, t in enumerate(tracklets) if name in t.signals)) for name in names)
    meta = _Meta(
        schema=STORE_SCHEMA,
        key=record.key,
        video=analysis.video,
        shots=analysis.shots,
        embedder=analysis.embedder,
        decode_failures=int(analysis.decode_failures),
        statistics={key: _plain_number(value) for key, value in analysis.statistics.items()},
        models=record.models,
        warnings=record.warnings,
        clock_shifts=tuple(int(shift) for shift in analysis.clock_shifts),
        origin_pts=analysis.origin_pts,
        signals=signals,
    )
    yield "meta", np.frombuffer(msgspec.json.encode(meta, enc_hook=_encode), np.uint8)
    yield "frame_pts", analysis.frame_pts
    yield "tracklet_ids", [t.id for t in tracklets]
    yield "tracklet_shots", [t.shot for t in tracklets]
    yield "replacements", [t.is_replacement for t in tracklets]
    yield "frame_counts", [len(t.frames) for t in tracklets]
    yield "sample_counts", [len(t.sample_frames) for t in tracklets]
    yield "look_counts", [len(t.look_frames) for t in tracklets]
    yield "face_sizes", [len(t.face_jpeg) for t in tracklets]
    yield "faces", np.frombuffer(b"".join(bytes(t.face_jpeg) for t in tracklets), np.uint8)
    signal_values = [tracklets[row].signals[name] for name, rows in signals for row in rows]
    yield "signal_values", _joined(signal_values, COLUMNS["signal_values"])
    for column in (*FRAME_COLUMNS, *SAMPLE_COLUMNS, *LOOK_COLUMNS):
        yield column.name, _joined([getattr(t, column.name) for t in tracklets], column)


def _joined(parts: Sequence[NDArray[Any]], column: Column) -> NDArray[Any]:
    # Parts without rows are left out: an embedding of no samples may have any width.
    filled = [part for part in parts if len(part)]
    return np.concatenate(filled) if filled else np.zeros([size or 0 for size in column.shape])


def _plain_number(value: Any) -> int | float | None:
    number: int | float = value.item() if isinstance(value, np.generic) else value
    return number if math.isfinite(number) else None


def _from_columns(meta: _Meta, columns: _Columns) -> AnalysisRecord:
    pts, shots = columns["frame_pts"], meta.shots
    demand(len(pts) > 0 and bool((np.diff(pts) > 0).all()), "its frame times do not increase")
    _demand_plausible_shots(shots, len(pts), meta.video)
    floats = [columns[name] for name, column in COLUMNS.items() if column.dtype == "<f4"]
    demand(all(bool(np.isfinite(values).all()) for values in floats), "it has values that are not finite")
    tracklets = _tracklets(meta, columns)
    for t in tracklets:
        shot = shots[t.shot] if 0 <= t.shot < len(shots) else None
        demand(shot is not None and shot.start <= t.start and t.end <= shot.end, "a tracklet lies outside its shot")
    analysis = FaceAnalysis(
        video=meta.video,
        frame_pts=pts,
        shots=shots,
        tracklets=tracklets,
        embedder=meta.embedder,
        decode_failures=meta.decode_failures,
        statistics={key: math.nan if value is None else value for key, value in meta.statistics.items()},
        clock_shifts=meta.clock_shifts,
        origin_pts=meta.origin_pts,
    )
    return AnalysisRecord(meta.key, analysis, meta.models, meta.warnings, cached=True)


def _demand_plausible_shots(shots: Sequence[Shot], frame_count: int, video: VideoInfo) -> None:
    bounds = [0, *(shot.end for shot in shots)]
    demand(
        all(s.index == i and s.start == bounds[i] < s.end for i, s in enumerate(shots)) and bounds[-1] == frame_count,
        "its shots are not consecutive",
    )
    demand(all(_is_inside(shot.active, video) for shot in shots), "an active picture is no part of the frame")
    demand(
        all(min(s.mixed_first, s.mixed_last, s.end - s.start - s.mixed_first - s.mixed_last) >= 0 for s in shots),
        "a shot has more mixed frames than frames",
    )
    spans = [span for shot in shots for span in (*shot.seams_x, *shot.seams_y)]
    demand(all(0 <= first < last <= _MAX_SIDE_PX for first, last in spans), "a seam is no part of the frame")


def _is_inside(box: PixelBox | None, video: VideoInfo) -> bool:
    if box is None:
        return True
    x1, y1, x2, y2 = box
    return 0 <= x1 < x2 <= video.width and 0 <= y1 < y2 <= video.height


def _tracklets(meta: _Meta, columns: _Columns) -> tuple[Tracklet, ...]:
    ids, shots = columns["tracklet_ids"].tolist(), columns["tracklet_shots"].tolist()
    replacements = columns["replacements"].astype(np.bool_).tolist()
    frames = _rows_of_each(columns["frame_counts"], {c.name: columns[c.name] for c in FRAME_COLUMNS})
    samples = _rows_of_each(columns["sample_counts"], {c.name: columns[c.name] for c in SAMPLE_COLUMNS})
    looks = _rows_of_each(columns["look_counts"], {c.name: columns[c.name] for c in LOOK_COLUMNS})
    faces = _rows_of_each(columns["face_sizes"], {"face_jpeg": columns["faces"]})
    demand(len(ids) <= MAX_TRACKLETS, "it has too many tracklets")
    parts = (shots, replacements, frames, samples, looks, faces)
    demand(all(len(part) == len(ids) for part in parts), "its tracklets do not add up")
    demand(len(set(ids)) == len(ids), "two of its tracklets have the same id")
    signals = _signals(meta, columns)
    portraits = SpillFile()
    return tuple(
        Tracklet(
            id=ids[row],
            shot=shots[row],
            is_replacement=replacements[row],
            **frames[row],
            **samples[row],
            **looks[row],
            face_jpeg=portraits.add(faces[row]["face_jpeg"].tobytes()),
            signals=signals[row],
        )
        for row in range(len(ids))
    )


def _signals(meta: _Meta, columns: _Columns) -> list[dict[str, NDArray[Any]]]:
    """The signals of each tracklet, by name."""
    counts, values = columns["frame_counts"], columns["signal_values"]
    owners = [(name, row) for name, rows in meta.signals for row in rows]
    demand(len(set(owners)) == len(owners), "a tracklet has a signal twice")
    demand(all(0 <= row < len(counts) for _, row in owners), "a signal belongs to no tracklet")
    parts = _rows_of_each(np.array([counts[row] for _, row in owners], np.int64), {"values": values})
    signals: list[dict[str, NDArray[Any]]] = [{} for _ in counts]
    for (name, row), part in zip(owners, parts, strict=True):
        signals[row][name] = part["values"]
    return signals


def _rows_of_each(counts: NDArray[Any], columns: _Columns) -> list[_Columns]:
    """The columns cut into consecutive pieces of `counts` rows."""
    total = len(next(iter(columns.values())))
    demand(bool(((counts >= 0) & (counts <= total)).all()), "its counts are out of range")
    ends = np.cumsum(counts).tolist()
    complete = (ends[-1] if ends else 0) == total and all(len(c) == total for c in columns.values())
    demand(complete, "its columns differ in length")
    return [{name: values[a:b] for name, values in columns.items()} for a, b in pairwise([0, *ends])]


def _read_meta(columns: _Columns) -> _Meta:
    demand(columns["meta"].size <= _MAX_META_BYTES, "its JSON is too long")
    try:
        meta = msgspec.json.decode(columns["meta"].tobytes(), type=_Meta, dec_hook=_decode)
    except (msgspec.MsgspecError, RecursionError, ZeroDivisionError) as error:
        raise ValueError(f"its JSON is wrong: {error}") from error
    demand(meta.schema == STORE_SCHEMA, f"it has schema {meta.schema}, not {STORE_SCHEMA}")
    return meta


def _encode(value: Any) -> str:
    # A path may hold bytes that are no valid text; percent-encoding carries them through JSON.
    return quote(os.fsencode(value.absolute())) if isinstance(value, Path) else str(value)


def _decode(kind: type, value: Any) -> Any:
    if kind is Fraction:
        return Fraction(value)
    if issubclass(kind, Path):
        return Path(os.fsdecode(unquote_to_bytes(value)))
    raise NotImplementedError(kind)
