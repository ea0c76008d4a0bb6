"""A file of plain numeric columns: an uncompressed `.npz` that is read without trusting anything in it.

Readers must expect hostile files. Every size is checked before memory is allocated for it, no member may be compressed
(so none can be larger than the file), and every column must have the expected dtype and shape. Nothing is executed.
"""

from __future__ import annotations

import math
import os
import re
import zipfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from utils.files import atomic_path

MAX_FILE_BYTES = 1 << 30
"""an hour with ten faces at a time takes about 80 MB"""

_NPY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)"
    rb"\{'descr': '(?P<dtype>[<|][a-z]\d)', 'fortran_order': False, 'shape': \((?P<shape>[0-9, ]{1,40})\), \} *\n",
    re.DOTALL,
)
_MAX_DIRECTORY_BYTES = 1 << 16
_END_OF_ZIP = 22
_END_OF_ZIP64 = 20


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file. dtype: as numpy spells it, with byte order. shape: None stands for any length."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] = (None,)


def write_columns(path: Path, table: Mapping[str, Column], columns: Iterable[tuple[str, Any]]) -> None:
    """Write `columns`, names and values in the order of `table`, to `path`, atomically.

    They are taken one at a time, so that each can be made when its turn comes: only one of them is in memory.

    Raises:
        OSError: it cannot be written.
    """
    with atomic_path(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for column, (name, values) in zip(table.values(), columns, strict=True):
            assert name == column.name, f"column {name}, expected {column.name}"
            # numpy stores the order of the axes with an array, and reading accepts one order only.
            array = np.asarray(values, column.dtype, order="C")
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def read_columns(path: Path, table: Mapping[str, Column], names: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """The columns of the file `path` by name, which must be exactly those of `table`, of the dtypes and shapes there.

    names: those to read; empty: all.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or has other columns.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        _check_directory(file, size, len(table))
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                demand(sorted(m.filename for m in members) == sorted(f"{n}.npy" for n in table), "unknown columns")
                demand(all(m.compress_type == zipfile.ZIP_STORED for m in members), "it is compressed")
                demand(sum(m.file_size for m in members) <= size, "its members are larger than the file")
                return {name: _array(archive.read(f"{name}.npy"), table[name]) for name in names or table}
        except (zipfile.BadZipFile, EOFError, RuntimeError) as error:
            raise ValueError(f"it is damaged: {error}") from error


def demand(condition: bool, complaint: str) -> None:
    """Raise ValueError with `complaint` unless `condition` holds."""
    if not condition:
        raise ValueError(complaint)


def _check_directory(file: IO[bytes], size: int, columns: int) -> None:
    """The archive's directory must be small, because it is read as a whole before anything in it is known."""
    demand(_END_OF_ZIP + _END_OF_ZIP64 <= size <= MAX_FILE_BYTES, f"implausible size of {size} bytes")
    file.seek(size - _END_OF_ZIP - _END_OF_ZIP64)
    tail = file.read()
    end = tail[_END_OF_ZIP64:]
    entries, directory_bytes = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    demand(end.startswith(b"PK\5\6") and end[20:] == b"\0\0", "its end is missing")
    demand(not tail.startswith(b"PK\6\7"), "it was not written by this program")
    demand(entries == columns and directory_bytes <= _MAX_DIRECTORY_BYTES, "unknown columns")


def _array(data: bytes, column: Column) -> NDArray[Any]:
    """The array in the `.npy` file `data`, which must have the column's dtype and shape."""
    # Parsed here, because numpy's own reader evaluates the header, and allocates what it claims.
    header = _NPY_HEADER.match(data)
    if header is None:
        raise ValueError(f"column {column.name} has an unknown format")
    shape = tuple(int(n) for n in header["shape"].split(b",") if n.strip())
    fits = len(shape) == len(column.shape) and all(
        want in (None, n) for n, want in zip(shape, column.shape, strict=True)
    )
    demand(header["dtype"] == column.dtype.encode() and fits, f"column {column.name} is {header['dtype']!r} {shape}")
    start = 10 + int.from_bytes(header["length"], "little")
    size = math.prod(shape) * np.dtype(column.dtype).itemsize
    demand(size == len(data) - start >= 0, f"column {column.name} is truncated")
    values = np.frombuffer(data, column.dtype, offset=start)
    # A copy, because arrays made from bytes are read-only and those of a fresh analysis are not.
    return values.reshape(shape).astype(np.dtype(column.dtype).newbyteorder("="), copy=True)
