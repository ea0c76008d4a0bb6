"""Giving memory back to the system."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable


def give_back_memory() -> None:
    """Hand what is free in the C library's heap back to the system; does nothing where that cannot be asked for.

    Decoders and networks free blocks of many sizes from many threads, and glibc keeps the pages between those that
    are still in use: half a megabyte with each video of a long run.
    """
    _trim()(0)


@functools.cache
def _trim() -> Callable[[int], object]:
    if sys.platform != "linux":
        return lambda _: None
    # musl has no such function.
    return getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
