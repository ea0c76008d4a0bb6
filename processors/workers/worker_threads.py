"""The threads of a batch: daemons that are joined with a time limit and whose bugs are raised by the main thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class WorkerThreads:
    """Threads that end together: an unexpected exception in one of them stops the others.

    Attributes:
        stop: every thread ends soon after it is set.
        bug: the last unexpected exception, or None.
    """

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self._threads: list[threading.Thread] = []
        self.bug: BaseException | None = None

    def add(self, name: str, work: Callable[[], None]) -> None:
        """Add a thread that does `work` once `start` is called."""
        # A daemon, because a thread that is stuck in foreign code must not keep the process alive after Ctrl-C.
        self._threads.append(threading.Thread(target=self.guard, args=(work,), name=name, daemon=True))

    def start(self) -> None:
        """Start all threads."""
        for thread in self._threads:
            thread.start()

    def guard(self, work: Callable[[], None]) -> None:
        """Do `work` on the calling thread; an exception becomes `bug` and sets the stop event."""
        try:
            work()
        except BaseException as error:
            self.bug = error
            self.stop.set()

    @property
    def alive(self) -> bool:
        """True while one of the threads is running."""
        return any(thread.is_alive() for thread in self._threads)

    def join(self, timeout_s: float) -> None:
        """Wait for all threads to end, but no longer than `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
