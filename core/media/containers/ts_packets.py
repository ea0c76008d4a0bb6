"""The packets of MPEG-TS files, by their headers (ISO/IEC 13818-1, 2.4.3.2)."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np

from core.types import ByteArray

_SYNC = 0x47
_SIZES = (188, 192, 204)
"""bytes: as transmitted, with a time stamp in front (M2TS), with error correction behind"""
_PROOF_PACKETS = 20
"""so many sync bytes in a row show size and position of the packets"""
_HEAD_BYTES = 65536
_PID_MASK = 0x1FFF


class TsFile:
    """An MPEG-TS file; a context manager.

    Attributes:
        begin, size: offset of the first packet and the size of each, bytes.
        count: number of packets; 0 if the file is not MPEG-TS.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.begin, self.size = packets_at(self._file.read(_HEAD_BYTES))
        self.count = (path.stat().st_size - self.begin) // self.size if self.size else 0

    def __enter__(self) -> TsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def packets(self, first: int, count: int) -> ByteArray:
        """Up to `count` packets from number `first` on, (N, size) uint8; those without a sync byte are left out."""
        self._file.seek(self.begin + first * self.size)
        data = self._file.read(count * self.size)
        found = np.frombuffer(data, np.uint8)[: len(data) // self.size * self.size].reshape(-1, self.size)
        return np.asarray(found[found[:, 0] == _SYNC])


def pids(packets: ByteArray) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """(N,) the stream that each packet belongs to."""
    return (packets[:, 1].astype(np.int64) << 8 | packets[:, 2]) & _PID_MASK


def packets_at(head: bytes) -> tuple[int, int]:
    """Offset of the first packet and the packets' size, bytes; (0, 0) if there are none."""
    for begin in range(min(len(head), max(_SIZES))):
        for size in _SIZES:
            signs = head[begin : begin + _PROOF_PACKETS * size : size]
            if len(signs) == _PROOF_PACKETS and set(signs) == {_SYNC}:
                return begin, size
    return 0, 0
