"""One analysis as a file: an `.npz` of plain columns, one of which holds JSON. Nothing in it can be executed.

Whoever reads one must expect anything: every size is checked before memory is taken for it, no member may
be compressed (so none can be larger than the file), and no column may have another type than ours.
"""

from __future__ import annotations

import math
import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote_to_bytes

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.types import FaceAnalysis, Shot, Tracklet, VideoInfo
from utils.files import atomic_path

STORE_SCHEMA = 1
"""of the files; to be raised when what they hold changes"""

MAX_FILE_BYTES = 1 << 30
"""an hour with ten faces at a time takes about 80 MB"""

MAX_TRACKLETS = 1_000_000

_NPY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)"
    rb"\{'descr': '(?P<dtype>[<|][a-z]\d)', 'fortran_order': False, 'shape': \((?P<shape>[0-9, ]{1,40})\), \} *\n",
    re.DOTALL,
)
_MAX_META_BYTES = 1 << 24
_MAX_DIRECTORY_BYTES = 1 << 16
_END_OF_ZIP = 22
_END_OF_ZIP64 = 20

ColumnTable = Mapping[str, tuple[str, tuple[int | None, ...]]]
"""dtype and shape (None: any length) of each column of a file"""

# R tracklets, T of their frames, K embedded faces, N frames of the video.
_COLUMNS: ColumnTable = {
    "meta": ("|u1", (None,)),
    "frame_pts": ("<i8", (None,)),
    "tracklet_ids": ("<i8", (None,)),
    "tracklet_shots": ("<i8", (None,)),
    "frame_counts": ("<i8", (None,)),
    "sample_counts": ("<i8", (None,)),
    "face_sizes": ("<i8", (None,)),
    "frames": ("<i8", (None,)),
    "boxes": ("<f4", (None, 4)),
    "scores": ("<f4", (None,)),
    "landmarks": ("<f4", (None, 5, 2)),
    "sharpness": ("<f4", (None,)),
    "sample_frames": ("<i8", (None,)),
    "sample_quality": ("<f4", (None,)),
    "embeddings": ("<f4", (None, None)),
    "faces": ("|u1", (None,)),
}

_Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisRecord:
    """An analysis, and what a manifest has to say about how it was made.

    key: what it is found by. models: their description. warnings: what the user should know about them.
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
    # None stands for a number that is none; JSON has no other word for it.
    statistics: dict[str, int | float | None]
    models: dict[str, Any]
    warnings: tuple[str, ...]
    clock_shifts: tuple[int, ...] = ()


def write_record(path: Path, record: AnalysisRecord) -> None:
    """Write `record` to `path`, atomically.

    Raises:
        OSError: it cannot be written.
    """
    columns = {name: np.asarray(values, _COLUMNS[name][0]) for name, values in _to_columns(record).items()}
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **columns)  # type: ignore[arg-type,unused-ignore]


def read_record(path: Path, key: str) -> AnalysisRecord:
    """The record in `path`, of which nothing is taken on trust.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, not of this program and version, or of another key.
    """
    with path.open("rb") as file:
        columns = read_columns(file, _COLUMNS)
    try:
        meta = _read_meta(columns)
        if meta.key != key:
            raise ValueError("it belongs to another video or other settings")
        return _from_columns(meta, columns)
    except (IndexError, OverflowError) as error:
        raise ValueError(f"its columns do not fit together: {error}") from error


def read_video_path(path: Path) -> Path:
    """Where the video of the record in `path` lay when it was analysed; raises like `read_record`."""
    with path.open("rb") as file:
        return _read_meta(read_columns(file, _COLUMNS, ["meta"])).video.path


def _to_columns(record: AnalysisRecord) -> dict[str, Any]:
    analysis, tracklets = record.analysis, record.analysis.tracklets
    statistics = {key: _plain_number(value) for key, value in analysis.statistics.items()}
    meta = _Meta(
        schema=STORE_SCHEMA,
        key=record.key,
        video=analysis.video,
        shots=analysis.shots,
        embedder=analysis.embedder,
        decode_failures=int(analysis.decode_failures),
        statistics=statistics,
        models=record.models,
        warnings=record.warnings,
        clock_shifts=tuple(int(shift) for shift in analysis.clock_shifts),
    )
    width = max((t.embeddings.shape[1] for t in tracklets if len(t.embeddings)), default=0)
    empty = np.zeros((0, width), np.float32)
    return {
        "meta": np.frombuffer(msgspec.json.encode(meta, enc_hook=_encode), np.uint8),
        "frame_pts": analysis.frame_pts,
        "tracklet_ids": [t.id for t in tracklets],
        "tracklet_shots": [t.shot for t in tracklets],
        "frame_counts": [len(t.frames) for t in tracklets],
        "sample_counts": [len(t.sample_frames) for t in tracklets],
        "face_sizes": [len(t.face_jpeg) for t in tracklets],
        "frames": _joined([t.frames for t in tracklets], (0,)),
        "boxes": _joined([t.boxes for t in tracklets], (0, 4)),
        "scores": _joined([t.scores for t in tracklets], (0,)),
        "landmarks": _joined([t.landmarks for t in tracklets], (0, 5, 2)),
        "sharpness": _joined([t.sharpness for t in tracklets], (0,)),
        "sample_frames": _joined([t.sample_frames for t in tracklets], (0,)),
        "sample_quality": _joined([t.sample_quality for t in tracklets], (0,)),
        "embeddings": np.concatenate([empty, *(t.embeddings for t in tracklets if len(t.embeddings))]),
        "faces": np.frombuffer(b"".join(t.face_jpeg for t in tracklets), np.uint8),
    }


def _joined(parts: list[Any], empty: tuple[int, ...]) -> NDArray[Any]:
    return np.concatenate([np.zeros(empty), *parts]) if not parts else np.concatenate(parts)


def _plain_number(value: Any) -> int | float | None:
    number: int | float = value.item() if isinstance(value, np.generic) else value
    return number if math.isfinite(number) else None


def _from_columns(meta: _Meta, columns: _Columns) -> AnalysisRecord:
    pts, shots = columns["frame_pts"], meta.shots
    _demand(len(pts) > 0 and bool((np.diff(pts) > 0).all()), "its times do not rise")
    bounds = [0, *(shot.end for shot in shots)]
    _demand(
        all(s.index == i and s.start == bounds[i] < s.end for i, s in enumerate(shots)) and bounds[-1] == len(pts),
        "its shots do not follow one another",
    )
    names = ("boxes", "scores", "landmarks", "sharpness", "sample_quality", "embeddings")
    _demand(all(bool(np.isfinite(columns[name]).all()) for name in names), "it holds numbers that are none")
    frames = _slices(columns["frame_counts"], *(columns[n] for n in ("frames", "boxes", "scores", *names[2:4])))
    samples = _slices(columns["sample_counts"], *(columns[n] for n in ("sample_frames", *names[4:])))
    faces = _slices(columns["face_sizes"], columns["faces"])
    ids, places = columns["tracklet_ids"].tolist(), columns["tracklet_shots"].tolist()
    _demand(len(ids) <= MAX_TRACKLETS, "it has too many tracklets")
    _demand(len(ids) == len(places) == len(frames) == len(samples) == len(faces), "its tracklets do not add up")
    _demand(len(set(ids)) == len(ids), "two of its tracklets have one number")
    tracklets = tuple(
        Tracklet(number, shot, *track, *sample, face[0].tobytes())  # type: ignore[arg-type,call-arg]
        for number, shot, track, sample, face in zip(ids, places, frames, samples, faces, strict=True)
    )
    for t in tracklets:
        shot = shots[t.shot] if 0 <= t.shot < len(shots) else None
        _demand(shot is not None and shot.start <= t.start and t.end <= shot.end, "a tracklet lies outside its shot")
    analysis = FaceAnalysis(
        video=meta.video,
        frame_pts=pts,
        shots=shots,
        tracklets=tracklets,
        embedder=meta.embedder,
        decode_failures=meta.decode_failures,
        statistics={key: math.nan if value is None else value for key, value in meta.statistics.items()},
        clock_shifts=meta.clock_shifts,
    )
    return AnalysisRecord(meta.key, analysis, meta.models, meta.warnings, cached=True)


def _slices(counts: NDArray[Any], *columns: NDArray[Any]) -> list[tuple[NDArray[Any], ...]]:
    """The rows of each tracklet: `counts` many from every column."""
    total = len(columns[0])
    _demand(bool(((counts >= 0) & (counts <= total)).all()), "its counts are out of range")
    ends = np.cumsum(counts).tolist()
    _demand(
        (ends[-1] if ends else 0) == total and all(len(c) == total for c in columns), "its columns differ in length"
    )
    return [tuple(column[a:b] for column in columns) for a, b in pairwise([0, *ends])]


def read_columns(file: IO[bytes], table: ColumnTable, wanted: Iterable[str] | None = None) -> _Columns:
    """The columns `wanted` (None: all) of a file that was written with the columns of `table`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or has other columns than `table` says.
    """
    size = os.fstat(file.fileno()).st_size
    _check_directory(file, size, len(table))
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _demand(sorted(m.filename for m in members) == sorted(f"{n}.npy" for n in table), "it is another's file")
            _demand(all(m.compress_type == zipfile.ZIP_STORED for m in members), "it is compressed")
            _demand(sum(m.file_size for m in members) <= size, "it claims to hold more than it does")
            names = table if wanted is None else wanted
            return {name: _array(archive.read(f"{name}.npy"), *table[name]) for name in names}
    except (zipfile.BadZipFile, EOFError, RuntimeError) as error:
        raise ValueError(f"it is damaged: {error}") from error


def _check_directory(file: IO[bytes], size: int, members: int) -> None:
    """The archive's table of contents must be small: it is read as a whole, before anything in it is known."""
    _demand(_END_OF_ZIP + _END_OF_ZIP64 <= size <= MAX_FILE_BYTES, f"{size} bytes is no size for it")
    file.seek(size - _END_OF_ZIP - _END_OF_ZIP64)
    tail = file.read()
    end = tail[_END_OF_ZIP64:]
    entries, directory_bytes = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    _demand(end.startswith(b"PK\5\6") and end[20:] == b"\0\0", "its end is missing")
    _demand(not tail.startswith(b"PK\6\7"), "it is no archive of this program")
    _demand(entries == members and directory_bytes <= _MAX_DIRECTORY_BYTES, "it is another's file")


def _array(data: bytes, dtype: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """The array in the `.npy` file `data`, which must be of this type and shape (None: any length)."""
    # Parsed here, because numpy's own reader evaluates the header, and allocates what it claims.
    header = _NPY_HEADER.match(data)
    if header is None:
        raise ValueError("a column has an unknown format")
    found = tuple(int(n) for n in header["shape"].split(b",") if n.strip())
    fits = len(found) == len(shape) and all(want in (None, n) for n, want in zip(found, shape, strict=True))
    _demand(header["dtype"] == dtype.encode() and fits, f"a column is {header['dtype']!r} {found}")
    start = 10 + int.from_bytes(header["length"], "little")
    _demand(math.prod(found) * np.dtype(dtype).itemsize == len(data) - start >= 0, "a column is cut off")
    values = np.frombuffer(data, dtype, offset=start)
    # A copy, because what comes from bytes cannot be written to, and a fresh analysis can.
    return values.reshape(found).astype(np.dtype(dtype).newbyteorder("="), copy=True)


def _read_meta(columns: _Columns) -> _Meta:
    _demand(columns["meta"].size <= _MAX_META_BYTES, "its description is too long")
    try:
        meta = msgspec.json.decode(columns["meta"].tobytes(), type=_Meta, dec_hook=_decode)
    except (msgspec.MsgspecError, RecursionError, ZeroDivisionError) as error:
        raise ValueError(f"its description is wrong: {error}") from error
    _demand(meta.schema == STORE_SCHEMA, f"it has the schema {meta.schema}, not {STORE_SCHEMA}")
    return meta


def _encode(value: Any) -> str:
    # A path may hold bytes that are no text; percent signs carry them through JSON.
    return quote(os.fsencode(value.absolute())) if isinstance(value, Path) else str(value)


def _decode(kind: type, value: Any) -> Any:
    if kind is Fraction:
        return Fraction(value)
    if issubclass(kind, Path):
        return Path(os.fsdecode(unquote_to_bytes(value)))
    raise NotImplementedError(kind)


def _demand(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)
