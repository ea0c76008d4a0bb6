"""Bytes that are needed much later, in a temporary file instead of in memory.

The file has no name (on Windows it is deleted on closing), so nobody else can open it and nothing is left of it,
however the process ends. It lies in the system's folder for temporary files (`TMPDIR`).
"""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import threading
import weakref
from dataclasses import dataclass
from io import FileIO

logger = logging.getLogger(__name__)


class SpillFile:
    """Takes bytes, to be read back one piece at a time; any thread may use it.

    It exists until the last piece is forgotten.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file: FileIO | None = None
        self._end = 0
        self._is_full = False

    def add(self, data: bytes) -> Spillable:
        """`data`, to be read back by `bytes()`. Where the file cannot be written it stays in memory."""
        with self._lock:
            if not data or self._is_full:
                return data
            offset = self._end
            try:
                self._append(data)
            except OSError as error:
                # More memory is taken than need be; that is no reason to lose the work on a video.
                logger.warning("no temporary file can be written in %s: %s", tempfile.gettempdir(), error.strerror)
                self._is_full = True
                return data
            return SpilledBytes(self, offset, len(data))

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on.

        Raises:
            OSError: they cannot be read.
        """
        with self._lock:
            data = bytearray()
            if self._file is not None:
                self._file.seek(offset)
                while len(data) < size and (part := self._file.read(size - len(data))):
                    data += part
        if len(data) < size:
            raise OSError(errno.EIO, os.strerror(errno.EIO), "temporary file")
        return bytes(data)

    def _append(self, data: bytes) -> None:
        if self._file is None:
            # It is open as long as `self` exists, so no `with` block fits.
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        self._file.seek(self._end)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._end += len(data)


@dataclass(frozen=True, slots=True)
class SpilledBytes:
    """A piece of a spill file: `bytes()` reads it, `len()` tells its size."""

    file: SpillFile
    offset: int
    size: int

    def __len__(self) -> int:
        return self.size

    def __bytes__(self) -> bytes:
        return self.file.read(self.offset, self.size)


Spillable = bytes | SpilledBytes
"""bytes that may lie in a file; `bytes()` gives them, `len()` their number"""
