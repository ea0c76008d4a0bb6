"""Helper threads that inherit the caller's context, so that their log lines name the same video and stage."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
S = TypeVar("S")


def helper_thread(work: Callable[..., object], *arguments: object, name: str) -> threading.Thread:
    """A daemon thread, not started yet, that runs `work(*arguments)` in a copy of the caller's context.

    Daemon, so that a thread stuck in library code cannot keep the process alive.
    """
    # Python lets new threads inherit the context only from 3.14 on, and not in every build.
    return threading.Thread(target=contextvars.copy_context().run, args=(work, *arguments), name=name, daemon=True)


def submit(pool: Executor, work: Callable[..., T], *arguments: object) -> Future[T]:
    """Submit `work(*arguments)` to `pool`, to run in a copy of the caller's context."""
    return pool.submit(contextvars.copy_context().run, work, *arguments)


def map_ordered(work: Callable[[S], T], items: Iterable[S], threads: int, name: str) -> Iterator[T]:
    """The results of `work(item)` in the order of the items, computed on `threads` threads.

    At most `threads` items are started ahead of the result that is yielded.

    Raises:
        What `work` raised, in its item's place; no further item is started.
    """
    started: deque[Future[T]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
        try:
            for item in items:
                started.append(submit(pool, work, item))
                if len(started) > threads:
                    yield started.popleft().result()
            while started:
                yield started.popleft().result()
        finally:
            for future in started:
                future.cancel()
