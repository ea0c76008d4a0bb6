"""Work that is done before somebody has to wait for it."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from utils.processes.helper_threads import helper_thread

T = TypeVar("T")


def do_ahead(work: Callable[[], object], *, name: str) -> None:
    """Do `work`, whose result is kept somewhere, on a helper thread of this `name`; does not wait."""

    def attempt() -> None:
        # Errors are reported where the result is needed.
        with contextlib.suppress(Exception):
            work()

    helper_thread(attempt, name=name).start()


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


class _Maker:
    """Makes values on one helper thread, in the order in which they were asked for, as long as there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: deque[MadeOnce[Any]] = deque()
        self._is_running = False

    def add(self, values: Sequence[MadeOnce[Any]], name: str) -> None:
        """name: of the thread, if there is none yet."""
        with self._lock:
            self._values += values
            if not self._values or self._is_running:
                return
            thread = helper_thread(self._make_all, name=name)
            # Python ends daemons where they return from foreign code, which aborts the process if that is C++.
            thread.daemon = False
            thread.start()
            self._is_running = True

    def _make_all(self) -> None:
        while (value := self._next()) is not None:
            # Errors are reported where the value is needed.
            with contextlib.suppress(Exception):
                value.get()

    def _next(self) -> MadeOnce[Any] | None:
        with self._lock:
            if self._values and threading.main_thread().is_alive():
                return self._values.popleft()
            self._is_running = False
            return None


_maker = _Maker()
"""One for the process: on two CPUs, a second thread would take time from the work that waits for none of the values."""


def make_ahead(*values: MadeOnce[Any], name: str) -> None:
    """Make `values` on a helper thread, after those of earlier calls; does not wait.

    Whoever needs one before its turn makes it at once. The process ends after the value that is being made then.
    """
    _maker.add(values, name)
