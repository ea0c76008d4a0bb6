"""Places where one MPEG-TS recording is joined to another, by the counters of the packets (ISO/IEC 13818-1, 2.4.3.3).

libav sees only that the counter of the video jumps there, as where packets were lost.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from core.media.containers.ts_packets import TsFile, pids

_TABLE, _STUFFING = 0, 0x1FFF
"""the streams of the program association table and of null packets"""
_BEFORE_PACKETS, _AFTER_PACKETS = 20_000, 200
"""packets before the place that hold a table, which is sent ten times a second; and after it, of all streams"""
_UNIT_START, _HAS_PAYLOAD, _COUNTER = 0x40, 0x10, 0x0F


def recording_begins(path: Path, begin: int, end: int) -> bool:
    """Whether another recording begins between two byte offsets of an MPEG-TS file.

    That is so where the counter of the program table does not go on, and the first packet of each stream from there on
    begins a unit of it: a recorder starts like that, and what is left behind lost packets does not. False if the file
    is not MPEG-TS or cannot be read.
    """
    try:
        with TsFile(path) as file:
            if not file.count or end <= begin:
                return False
            first, last = ((at - file.begin) // file.size for at in (begin, end))
            earliest = max(0, first - _BEFORE_PACKETS)
            before = file.packets(earliest, max(0, first - earliest))
            packets = np.concatenate([before, file.packets(max(0, first), last - first + _AFTER_PACKETS)])
            within = len(before) + last - first
    except OSError:
        return False
    streams, counters = pids(packets), packets[:, 3] & _COUNTER
    tables = (streams == _TABLE).nonzero()[0]
    for previous, table in itertools.pairwise(tables):
        restarts = (counters[previous] + 1) & _COUNTER != counters[table]
        if len(before) <= table <= within and restarts:
            return _all_start(packets[table:], streams[table:])
    return False


def _all_start(
    packets: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], streams: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
) -> bool:
    """Whether the first packet of each stream begins a unit."""
    carries = ((packets[:, 3] & _HAS_PAYLOAD) != 0) & (streams != _STUFFING)
    _, firsts = np.unique(streams[carries], return_index=True)
    return bool(((packets[carries][firsts, 1] & _UNIT_START) != 0).all())
