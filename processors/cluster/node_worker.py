"""The driver's end of one worker on a node of a cluster; the counterpart of `PoolWorker` of one on this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from core.errors import WorkerGoneError
from processors.cluster.cluster import ClusterNode, RemoteWorker
from processors.workers.render_work import Work
from processors.workers.worker_contact import WorkerContact
from processors.workers.worker_process import Answered
from processors.workers.worker_source import JOBS_PER_WORKER, Inbox

START_TIMEOUT_S = 600.0
"""limit for the first message of a worker: it may have to wait until another program frees its part of the cluster"""
SILENCE_TIMEOUT_S = 120.0
"""a worker answers every two seconds; one that is silent for so long hangs, or its network is cut"""


class NodeWorker(WorkerContact):
    """A `Worker`; its `place` is the node.

    Attributes:
        is_started: see there.
    """

    def __init__(
        self,
        node: ClusterNode,
        remote: RemoteWorker,
        inbox: Inbox,
        clock: Callable[[], float] = time.monotonic,
        *,
        max_jobs: int = JOBS_PER_WORKER,
    ) -> None:
        """clock: seconds from any origin. max_jobs: the number of jobs after which it is no longer wanted."""
        super().__init__(clock)
        self.is_started = False
        self._node = node
        self._remote = remote
        self._inbox = inbox
        self._jobs = 0
        self._most_jobs = max_jobs
        self._is_retired = False
        self._cause = ""
        threading.Thread(target=self._listen, name="worker", daemon=True).start()

    @property
    def place(self) -> str:
        """See `Worker`."""
        return self._node.id

    @property
    def is_wanted(self) -> bool:
        """See `Worker.is_wanted`."""
        return self._jobs < self._most_jobs and not self._is_retired

    def retire(self) -> None:
        """Give it no further job."""
        self._is_retired = True

    @property
    def silent_s(self) -> float:
        """See `Worker.silent_s`. One that waits for its part of the cluster is not silent."""
        return super().silent_s if self.is_started else 0.0

    def give(self, work: Work) -> None:
        """See `Worker.give`."""
        self._jobs += 1
        self.heard()
        self._remote.carry_out(work).add_done_callback(self._on_carried_out)

    def stop(self) -> None:
        """Ask it to end its job."""
        self._remote.stop()

    def kill(self) -> None:
        """End it at once, with whatever it does."""
        self._cause = self._cause or "ended by the run"
        self._remote.kill()

    def cause_of_death(self) -> str:
        """Why a worker that is gone has ended."""
        return f"on node {self._node.name}: {self._cause}"

    def _send_answer(self, message: Answered) -> None:
        self._remote.answer(message)

    def _on_carried_out(self, ended: Future[None]) -> None:
        # The worker itself reports how a job ended; this is about jobs that could not be carried out at all.
        if (error := ended.exception()) is not None:
            self._cause = self._cause or str(error)
            # On another thread, because Ray deadlocks if it is called from the callback that reports the end.
            threading.Thread(target=self._remote.kill, name="worker", daemon=True).start()

    def _listen(self) -> None:
        try:
            limit_s = START_TIMEOUT_S
            while True:
                for message in self._fetched(limit_s):
                    self._inbox.put((self, message))
                limit_s = SILENCE_TIMEOUT_S
        except WorkerGoneError as error:
            self._cause = self._cause or error.message
        self._inbox.put((self, None))

    def _fetched(self, limit_s: float) -> tuple[Any, ...]:
        try:
            return self._remote.fetch().result(limit_s)
        except FutureTimeoutError:
            self._remote.kill()
            raise WorkerGoneError(f"no sign of life for {limit_s:.0f} s") from None
