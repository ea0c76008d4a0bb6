"""A cluster within one process: nodes and workers are threads, and workers die when they are told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from core.errors import WorkerGoneError
from processors.cluster.cluster import ClusterNode, WorkerShare
from processors.cluster.cluster_worker import ClusterWorker, WorkerMessage
from processors.cluster.node_check import NodeQuestion, NodeReport
from processors.workers.job_link import HostSetup
from processors.workers.render_work import Work
from processors.workers.worker_process import Answered, MakeHost, Started
from processors.workers.worker_source import WorkerKind


class FakeWorker:
    """A `RemoteWorker`."""

    def __init__(self, worker: ClusterWorker, death: str = "") -> None:
        """death: why it is dead from the beginning; "" if it is not."""
        self.worker = worker
        self._lock = threading.Lock()
        self._death = death
        self._calls: list[Future[Any]] = []

    def carry_out(self, work: Work) -> Future[None]:
        return self._call(lambda: self.worker.carry_out(work))

    def fetch(self) -> Future[tuple[WorkerMessage, ...]]:
        return self._call(self.worker.fetch)

    def answer(self, answered: Answered) -> None:
        self._call(lambda: self.worker.answer(answered))

    def stop(self) -> None:
        self._call(self.worker.stop)

    def kill(self) -> None:
        self.die("ended by the run")

    def die(self, cause: str) -> None:
        with self._lock:
            self._death = self._death or cause
            calls, self._calls = self._calls, []
        for call in calls:
            if not call.done():
                call.set_exception(WorkerGoneError(self._death))
        # Its threads cannot be killed: they are asked to end.
        self.worker.stop()
        self.worker.mailbox.put(Started())

    @property
    def is_dead(self) -> bool:
        return bool(self._death)

    def _call(self, work: Callable[[], Any]) -> Future[Any]:
        call: Future[Any] = Future()
        with self._lock:
            if self._death:
                call.set_exception(WorkerGoneError(self._death))
                return call
            self._calls.append(call)

        def run() -> None:
            result = work()
            with self._lock:
                if call in self._calls:
                    self._calls.remove(call)
                    call.set_result(result)

        threading.Thread(target=run, daemon=True).start()
        return call


class FakeCluster:
    """A `Cluster`.

    Attributes:
        workers: those for videos that were started, with their shares. tasks: those for clips.
    """

    def __init__(self, nodes: list[ClusterNode]) -> None:
        self._nodes = nodes
        self.workers: list[tuple[WorkerShare, FakeWorker]] = []
        self.tasks: list[tuple[WorkerShare, FakeWorker]] = []
        self.reports: dict[str, NodeReport | WorkerGoneError | None] = {}
        self.dead_nodes: dict[str, str] = {}
        self.is_closed = False

    def nodes(self) -> list[ClusterNode]:
        return self._nodes

    def examine(self, node: ClusterNode, question: NodeQuestion) -> Future[NodeReport]:
        answer: Future[NodeReport] = Future()
        report = self.reports[node.id]
        if isinstance(report, WorkerGoneError):
            answer.set_exception(report)
        elif report is not None:
            answer.set_result(report)
        return answer

    def start(self, share: WorkerShare, setup: HostSetup, make_host: MakeHost) -> FakeWorker:
        worker = FakeWorker(ClusterWorker(setup, make_host), self.dead_nodes.get(share.node.id, ""))
        (self.workers if share.kind is WorkerKind.VIDEOS else self.tasks).append((share, worker))
        return worker

    def close(self) -> None:
        for _, worker in [*self.workers, *self.tasks]:
            worker.kill()
        self.is_closed = True
