"""Keeping a long run from needing more and more memory for the same work."""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

BLOCK_BYTES = 256 * 1024
MAY_GROW_MB = 64.0
RECENT_LOOKS = 16
"""a look falls at any moment of the work on another video, so it is the lowest of some that counts"""

_M_MMAP_THRESHOLD = -3


class HeapKeeper:
    """Looks after the C library's heap; thread-safe; does nothing where that is not glibc's.

    Decoders and networks free blocks of many sizes from many threads. What is free is given back, but pages that
    still hold anything are not, and new blocks do not fit into the holes: about a megabyte with each video. Where that
    has come to `MAY_GROW_MB`, blocks of `BLOCK_BYTES` and more are no longer taken from the heap. That ends the growth,
    and costs 5 to 10 % of CPU time for fresh pages, which is why short runs do without.
    """

    def __init__(self, resident_mb: Callable[[], float] | None = None) -> None:
        """resident_mb: how much memory the process has; for tests."""
        self._resident_mb = resident_mb or _resident_mb
        self._recent: deque[float] = deque(maxlen=RECENT_LOOKS)
        self._first = 0.0
        self._lock = threading.Lock()
        self.bounded = False

    def tidy(self) -> None:
        """To be called when a piece of work is done."""
        libc = _glibc()
        if libc is None:
            return
        libc.malloc_trim(0)
        with self._lock:
            self._recent.append(self._resident_mb())
            if self.bounded or len(self._recent) < RECENT_LOOKS:
                return
            lowest = min(self._recent)
            self._first = self._first or lowest
            if lowest > self._first + MAY_GROW_MB:
                logger.debug("memory has grown from %.0f to %.0f MB: large blocks leave the heap", self._first, lowest)
                self.bounded = bool(libc.mallopt(_M_MMAP_THRESHOLD, BLOCK_BYTES))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@functools.cache
def _glibc() -> Any:
    """The C library where it is glibc, else None."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    # musl has neither of them.
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
