"""Threads that help whoever starts them: what they log is about the same video and stage."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TypeVar

T = TypeVar("T")


def helper_thread(work: Callable[..., object], *arguments: object, name: str) -> threading.Thread:
    """A daemon thread, not started yet, that does `work(*arguments)` in a copy of the caller's context.

    A daemon, because a thread that is stuck in foreign code must not keep the process alive.
    """
    # Python hands a context to new threads by itself only from 3.14 on, and not always then.
    return threading.Thread(target=contextvars.copy_context().run, args=(work, *arguments), name=name, daemon=True)


def submit(pool: Executor, work: Callable[..., T], *arguments: object) -> Future[T]:
    """Have `pool` do `work(*arguments)` in a copy of the caller's context."""
    return pool.submit(contextvars.copy_context().run, work, *arguments)
