"""Workers on the nodes of a cluster, for a `WorkerPool`."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from config import Settings
from processors.cluster.cluster import Cluster, WorkerShare
from processors.cluster.cluster_nodes import agreed_nodes, render_shares, worker_shares
from processors.cluster.node_worker import NodeWorker
from processors.workers.analysis_handover import AnalysisHandover
from processors.workers.job_link import HostSetup
from processors.workers.worker_process import MakeHost, real_host
from processors.workers.worker_source import JOBS_PER_WORKER, Inbox, Worker, WorkerKind
from utils.console.batch_monitor import BatchMonitor
from utils.console.log_forwarding import log_levels
from utils.console.plurals import count_of

logger = logging.getLogger(__name__)

MAX_FAILED_STARTS = 2
"""of workers in a row; then their share of the node is given up"""
_MAX_JOBS = {WorkerKind.CLIPS: 1, WorkerKind.VIDEOS: JOBS_PER_WORKER}


@dataclasses.dataclass(slots=True, eq=False)
class _Slot:
    """A share of a node. worker: there now. failed_starts: of workers in a row that ended before they were ready."""

    share: WorkerShare
    worker: Worker | None = None
    failed_starts: int = 0


class NodeSource:
    """A `WorkerSource`; one worker for each share of the nodes that agree with this machine.

    Attributes:
        handover: of analyses, from the workers that make them to those that make clips.
    """

    def __init__(
        self,
        connect: Callable[[], Cluster],
        settings: Settings,
        inputs: Sequence[Path],
        output_dir: Path,
        monitor: BatchMonitor,
        make_host: MakeHost = real_host,
    ) -> None:
        """connect: to the cluster. inputs: files of the run. monitor: is told how many workers there are.

        make_host: called in each worker.
        """
        self._counts = dict.fromkeys(WorkerKind, 1)
        self._connect = connect
        # A worker that downloads what others do not have would give other results than they.
        self._settings = replace(settings, run=replace(settings.run, offline=True))
        self._inputs = inputs
        self._output_dir = output_dir
        self._monitor = monitor
        self._make_host = make_host
        self._cluster: Cluster | None = None
        self.handover = AnalysisHandover.in_folder(output_dir)
        self._slots: list[_Slot] = []

    def count(self, kind: WorkerKind) -> int:
        """See `WorkerSource.count`."""
        return self._counts[kind]

    def open(self) -> None:
        """See `WorkerSource.open`.

        Raises:
            SettingsError: there is no cluster, or no node of it agrees. ToolMissingError: the cluster's package is
            missing. OutputError: the output folder cannot be written. InterruptedRunError: the run ends.
        """
        self._cluster = self._connect()
        nodes = agreed_nodes(self._cluster, self._settings, self._inputs, self._output_dir, self._monitor.stop)
        workers = worker_shares(nodes, self._settings)
        self._slots = [_Slot(share) for share in (*workers, *render_shares(workers, self._settings))]
        self._recount()
        self._monitor.set_workers(self.count(WorkerKind.VIDEOS))
        logger.info("%s on %s", count_of(self.count(WorkerKind.VIDEOS), "worker"), count_of(len(nodes), "node"))

    def start(self, kind: WorkerKind, inbox: Inbox) -> Worker:
        """See `WorkerSource.start`."""
        slot = next((slot for slot in self._slots if slot.worker is None and slot.share.kind is kind), None)
        if slot is None or self._cluster is None:
            raise OSError("every share of the nodes has a worker")
        setup = HostSetup(self._settings, self._output_dir, slot.share.cpus, log_levels(), self.handover)
        remote = self._cluster.start(slot.share, setup, self._make_host)
        slot.worker = NodeWorker(slot.share.node, remote, inbox, max_jobs=_MAX_JOBS[kind])
        return slot.worker

    def drop(self, key: str) -> None:
        """See `WorkerSource.drop`."""
        self.handover.drop(key)

    def end(self, worker: Worker) -> None:
        """See `WorkerSource.end`."""
        worker.kill()
        for slot in self._slots:
            if slot.worker is worker:
                slot.worker = None
                slot.failed_starts = 0 if worker.is_started else slot.failed_starts

    def is_to_blame(self, worker: Worker) -> bool:
        """See `WorkerSource.is_to_blame`: it is if it has ended before it was ready."""
        slot = next((slot for slot in self._slots if slot.worker is worker), None)
        if worker.is_started or slot is None:
            return False
        slot.failed_starts += 1
        logger.debug("a worker ended before it began %s", worker.cause_of_death())
        if slot.failed_starts >= MAX_FAILED_STARTS:
            logger.warning("a worker is given up, because it cannot be started %s", worker.cause_of_death())
            self._slots.remove(slot)
            self._recount()
        return True

    def avoid(self, place: str, trouble: str) -> bool:
        """See `WorkerSource.avoid`."""
        left = [slot for slot in self._slots if slot.share.node.id != place]
        if {slot.share.kind for slot in left} != set(WorkerKind):
            return False
        for slot in self._slots:
            if slot not in left and isinstance(slot.worker, NodeWorker):
                slot.worker.retire()
        if len(left) < len(self._slots):
            name = next(slot.share.node.name for slot in self._slots if slot not in left)
            logger.warning("node %s gets no more videos: %s", name, trouble)
        self._slots = left
        self._recount()
        return True

    def close(self) -> None:
        """See `WorkerSource.close`."""
        if self._cluster is not None:
            self._cluster.close()
        self.handover.remove()

    def _recount(self) -> None:
        self._counts = {kind: sum(slot.share.kind is kind for slot in self._slots) for kind in WorkerKind}
