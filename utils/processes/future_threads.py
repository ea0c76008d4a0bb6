"""A helper thread whose outcome is a future."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from utils.processes.helper_threads import helper_thread

T = TypeVar("T")


class FutureThread(Generic[T]):
    """Runs `work()` once on a helper thread of its own.

    Unlike an executor's threads it is a daemon: one that is stuck in foreign code does not keep the process alive.

    Attributes:
        future: has the result of `work`, or what it raised, shortly before the thread ends.
    """

    def __init__(self, work: Callable[[], T], *, name: str) -> None:
        self.future: Future[T] = Future()
        self._work = work
        self._thread = helper_thread(self._run, name=name)

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether the thread was started and has ended."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def join(self) -> None:
        """Wait until the thread has ended; return at once if it was never started."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        work = self._work
        # `work` is often a method of the thread's owner: that cycle would keep both until a full garbage collection.
        del self._work
        try:
            result = work()
        except BaseException as error:  # raised by the future in the thread that asks for the result
            self.future.set_exception(error)
        else:
            self.future.set_result(result)
