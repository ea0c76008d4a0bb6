"""How much memory a piece of work allocates, whatever else runs in the process of the tests."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple


class AllocatedMemory(NamedTuple):
    """In bytes; what was allocated before the work does not count."""

    held: int
    """by the result of the work"""
    peak: int
    """the most at one moment of the work"""


def allocated_memory(work: Callable[[], object], rounds: int = 3) -> AllocatedMemory:
    """What `work()` allocates, the least of several rounds.

    Other threads of the process count too, such as those that an earlier test left: the least disturbed round is meant.
    """

    def measured() -> AllocatedMemory:
        gc.collect()
        tracemalloc.start()
        try:
            result = work()
            memory = AllocatedMemory(*tracemalloc.get_traced_memory())
            del result
            return memory
        finally:
            tracemalloc.stop()

    every = [measured() for _ in range(rounds)]
    return AllocatedMemory(min(one.held for one in every), min(one.peak for one in every))
