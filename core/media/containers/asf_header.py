"""The length that the header of an ASF file (WMV) claims.

libav does not tell it where the file's size is not as the header says, as after an interrupted copy.
"""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_FIELDS = struct.Struct("<16sQ16sQQQQQQI")
"""identifier and size of the object; identifier, size and date of the file, number of packets, duration and sending
time in 100 ns, preroll in ms, flags (Advanced Systems Format, 3.2)"""
_IS_BROADCAST = 1
"""flag: the other fields mean nothing"""
_HEADER_BYTES = 65536
"""the object is one of the first in the header"""


def claimed_length_s(path: Path) -> float:
    """Seconds; 0.0 where the header does not say, or the file cannot be read."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        at = header.find(_FILE_PROPERTIES)
        if 0 <= at <= len(header) - _FIELDS.size:
            *_, duration, _, preroll_ms, flags = _FIELDS.unpack_from(header, at)
            # The duration includes the time for which players collect data before they begin.
            if not flags & _IS_BROADCAST:
                return max(0.0, float(duration / 1e7 - preroll_ms / 1e3))
    return 0.0
