"""How much free heap memory a process keeps, and returning it to the operating system (glibc)."""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable

RETURN_EVERY_S = 10.0

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX of glibc's mallopt (malloc.h)"""

_KEPT_BYTES = 8 * 2**20
"""More than this at the end of a heap goes back at once, and larger blocks never lie in a heap. Planes of 1080p (2 MB)
and what is allocated for each frame are smaller, so few pages are given back in vain; with 2 MiB a fifth more are."""


def keep_few_heaps(count: int) -> None:
    """Limit malloc to `count` heaps (arenas) for all threads; call it before threads are started.

    MALLOC_ARENA_MAX in the environment takes precedence. glibc's default is eight per CPU, and `malloc_trim` cannot
    release the top of a thread's heap: tens of MB each at 1080p, 130 MB while the clips of an hour were made.
    """
    _set_option(_ARENA_MAX, count, "MALLOC_ARENA_MAX")


def keep_little_free_memory() -> None:
    """Let each heap keep at most `_KEPT_BYTES` free bytes at its end; call it before threads are started.

    MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ in the environment take precedence. By default both limits follow
    the largest block that was ever freed: once networks have been loaded, 64 MB at the end of every heap stay with the
    process, and `malloc_trim` does not release the ends of other heaps than the first.
    """
    _set_option(_MMAP_THRESHOLD, _KEPT_BYTES, "MALLOC_MMAP_THRESHOLD_")
    _set_option(_TRIM_THRESHOLD, _KEPT_BYTES, "MALLOC_TRIM_THRESHOLD_")


def give_back_memory() -> None:
    """Return free heap memory to the system (`malloc_trim`); does nothing on other C libraries.

    Decoders and networks free blocks of many sizes from many threads, and glibc keeps the pages between blocks in use:
    half a megabyte per video of a long run.
    """
    trim_function()(0)


class MemoryReturn:
    """Returns memory every `every_s` seconds during long work; call it often, from one thread.

    Each thread's heap keeps up to 64 MB of free memory, and there is a thread per clip: an hour of 1080p held 260 MB
    more than it used.
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


def _set_option(option: int, value: int, variable: str) -> None:
    """Call mallopt, unless the environment variable has set the same option already."""
    if sys.platform == "linux" and variable not in os.environ:
        import ctypes  # see open_standard_streams

        # musl does not have this function.
        getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)(option, value)


@functools.cache
def trim_function() -> Callable[[int], object]:
    """glibc's `malloc_trim`, or a function that does nothing where the C library has none."""
    if sys.platform != "linux":
        return lambda _: None
    import ctypes

    # musl does not have this function.
    return getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
