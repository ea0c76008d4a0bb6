"""Threads that help whoever starts them: what they log is about the same video and stage."""

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
    """A daemon thread, not started yet, that does `work(*arguments)` in a copy of the caller's context.

    A daemon, because a thread that is stuck in foreign code must not keep the process alive.
    """
    # Python hands a context to new threads by itself only from 3.14 on, and not always then.
    return threading.Thread(target=contextvars.copy_context().run, args=(work, *arguments), name=name, daemon=True)


def submit(pool: Executor, work: Callable[..., T], *arguments: object) -> Future[T]:
    """Have `pool` do `work(*arguments)` in a copy of the caller's context."""
    return pool.submit(contextvars.copy_context().run, work, *arguments)


def map_ordered(work: Callable[[S], T], items: Iterable[S], threads: int, name: str) -> Iterator[T]:
    """`work(item)` for one item after the other, done on `threads` threads, no more than as many items ahead.

    Raises:
        What `work` raised, in its item's place; nothing more is begun.
    """
    begun: deque[Future[T]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
        try:
            for item in items:
                begun.append(submit(pool, work, item))
                if len(begun) > threads:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()
