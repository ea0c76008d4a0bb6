"""The driver's end of a task of Ray that makes clips: its messages arrive as a stream, which ends with the task."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from core.errors import WorkerGoneError
from processors.cluster.cluster_worker import WorkerMessage, ends_job
from processors.cluster.ray_failures import cause_of_death
from processors.workers.render_work import Work
from processors.workers.worker_process import Answered


class RayTask:
    """A `RemoteWorker` for one work."""

    def __init__(self, ray: Any, begin: Callable[[Work], Any]) -> None:
        """begin: starts the task; returns Ray's generator of references to its messages."""
        self._ray = ray
        self._begin = begin
        self._stream: Any = None
        self._ended: Future[None] = Future()
        self._lock = threading.Lock()
        self._received: deque[tuple[WorkerMessage, ...]] = deque()
        self._wanted: Future[tuple[WorkerMessage, ...]] | None = None
        self._death: WorkerGoneError | None = None
        self._ends_by_itself = False

    def carry_out(self, work: Work) -> Future[None]:
        """See `RemoteWorker.carry_out`."""
        self._stream = self._begin(work)
        threading.Thread(target=self._read, name="task", daemon=True).start()
        return self._ended

    def fetch(self) -> Future[tuple[WorkerMessage, ...]]:
        """See `RemoteWorker.fetch`."""
        wanted: Future[tuple[WorkerMessage, ...]] = Future()
        with self._lock:
            self._wanted = wanted
        self._deliver()
        return wanted

    def answer(self, answered: Answered) -> None:
        """See `RemoteWorker.answer`."""
        raise RuntimeError("a task asks nothing")

    def stop(self) -> None:
        """See `RemoteWorker.stop`: a KeyboardInterrupt in the task."""
        if self._stream is not None:
            self._ends_by_itself = True
            self._ray.cancel(self._stream, force=False)

    def kill(self) -> None:
        """See `RemoteWorker.kill`.

        Ray aborts the driver's process ("Tried to complete task that was not pending", 2.60) if a task ends while it is
        being cancelled by force. So one that is ending is left to itself, and to Ray's own end.
        """
        if self._stream is not None and not self._ends_by_itself:
            self._ray.cancel(self._stream, force=True)
        self._die("ended by the run")

    def _read(self) -> None:
        try:
            for reference in self._stream:
                messages = self._ray.get(reference)
                self._ends_by_itself |= ends_job(messages)
                with self._lock:
                    self._received.append(messages)
                self._deliver()
        except Exception as error:
            self._die(cause_of_death(error))
        else:
            self._die("")

    def _die(self, cause: str) -> None:
        """The task is gone; cause: why, "" if its work has ended. The first cause counts."""
        with self._lock:
            is_first = self._death is None
            self._death = self._death or WorkerGoneError(cause or "it has ended")
        if is_first and cause:
            self._ended.set_exception(self._death)
        elif is_first:
            self._ended.set_result(None)
        self._deliver()

    def _deliver(self) -> None:
        with self._lock:
            wanted = self._wanted
            if wanted is None or not (self._received or self._death):
                return
            self._wanted = None
            messages = self._received.popleft() if self._received else None
        if messages is not None:
            wanted.set_result(messages)
        else:
            wanted.set_exception(self._death)
