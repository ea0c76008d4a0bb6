"""Work that is done before somebody has to wait for it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from utils.helper_threads import helper_thread

T = TypeVar("T")

_one_at_a_time = threading.Lock()


def do_ahead(work: Callable[[], object], *, name: str) -> None:
    """Do `work`, whose result is kept somewhere, on a helper thread of this `name`; does not wait."""
    _attempt(work, name).start()


class MadeOnce(Generic[T]):
    """A value that is made by the first thread that needs it; others wait for that thread."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make: Callable[[], T] | None = make
        self._lock = threading.Lock()

    def get(self) -> T:
        """The value; raises what making it raises, and the next call tries again."""
        with self._lock:
            if self._make is not None:
                self._value = self._make()
                # It may hold what only making needs.
                self._make = None
            return self._value


def make_ahead(*values: MadeOnce[Any], name: str) -> None:
    """Make `values` in this order on a helper thread, after those of earlier calls; does not wait.

    Whoever needs one before its turn makes it at once. The process ends after the value that is being made then.
    """

    def make_all() -> None:
        # One thread for all calls: on two CPUs, a second one would take time from the work that waits for none of them.
        with _one_at_a_time:
            for value in values:
                if threading.main_thread().is_alive():
                    value.get()

    thread = _attempt(make_all, name)
    # Python ends daemons where they return from foreign code, which aborts the process if that is C++.
    thread.daemon = False
    thread.start()


def _attempt(work: Callable[[], object], name: str) -> threading.Thread:
    def attempt() -> None:
        # Errors are reported where the result is needed.
        with contextlib.suppress(Exception):
            work()

    return helper_thread(attempt, name=name)
