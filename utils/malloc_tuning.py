"""Giving memory back to the system."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import time
from collections.abc import Callable

RETURN_EVERY_S = 10.0

_ARENA_MAX = -8
"""of glibc's mallopt"""


def keep_few_heaps(count: int) -> None:
    """Have all threads share `count` heaps; to be called before there are threads. The environment has precedence.

    glibc makes eight for each CPU. A thread's heap keeps its upper end for itself, which no `malloc_trim` takes back:
    tens of MB each at 1080p, 130 MB while the clips of an hour were made.
    """
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        # musl has no such function.
        getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)(_ARENA_MAX, count)


def give_back_memory() -> None:
    """Hand what is free in the C library's heap back to the system; does nothing where that cannot be asked for.

    Decoders and networks free blocks of many sizes from many threads, and glibc keeps the pages between those that
    are still in use: half a megabyte with each video of a long run.
    """
    _trim()(0)


class MemoryReturn:
    """Gives memory back now and then while long work goes on: to be called all the time, by one thread.

    Each thread's share of the heap keeps what is free, up to 64 MB, and a thread per clip makes for many shares: an
    hour of 1080p held 260 MB more than it used.
    """

    def __init__(self, *, every_s: float = RETURN_EVERY_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._next_s = clock() + every_s

    def __call__(self) -> None:
        now_s = self._clock()
        if now_s >= self._next_s:
            self._next_s = now_s + self._every_s
            give_back_memory()


@functools.cache
def _trim() -> Callable[[int], object]:
    if sys.platform != "linux":
        return lambda _: None
    # musl has no such function.
    return getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
