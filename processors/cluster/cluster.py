"""The interface between the batch and a cluster: list the nodes, check each of them, start workers on them.

`processors/cluster/ray_cluster.py` implements it with Ray. Paths, settings and results travel; frames never do.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from processors.cluster.cluster_worker import WorkerMessage
from processors.cluster.node_check import NodeQuestion, NodeReport
from processors.workers.job_link import HostSetup
from processors.workers.render_work import Work
from processors.workers.worker_process import Answered, MakeHost
from processors.workers.worker_source import WorkerKind


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """A machine. id: unique in the cluster. name: for people. cpus, gpus: how many the cluster may use there."""

    id: str
    name: str
    cpus: int
    gpus: int


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """The part of a node that one worker has.

    cpus: threads that it uses. gpus: share of one. reserved: cores that the cluster gives to nobody else meanwhile: a
    worker for videos and one for clips reserve half of the same cores each, because each often waits for the other's
    kind of work. kind: what the worker is for.
    """

    node: ClusterNode
    cpus: int
    gpus: float
    reserved: float
    kind: WorkerKind = WorkerKind.VIDEOS


class RemoteWorker(Protocol):
    """The driver's end of a `ClusterWorker` on a node, be it an actor or a task. No method blocks.

    A future raises `WorkerGoneError` if the worker has ended or cannot be reached.
    """

    def carry_out(self, work: Work) -> Future[None]:
        """Begin `work`, which must not be before the one before has ended; done when the worker has ended it."""
        ...

    def fetch(self) -> Future[tuple[WorkerMessage, ...]]:
        """What the worker has to say, after a moment. One call at a time."""
        ...

    def answer(self, answered: Answered) -> None:
        """Answer a question that was fetched."""
        ...

    def stop(self) -> None:
        """Ask the worker to end its job in order."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class Cluster(Protocol):
    """A connection to a cluster. What was started over it ends with it, however this process ends."""

    def nodes(self) -> list[ClusterNode]:
        """The nodes that are alive, in a fixed order."""
        ...

    def examine(self, node: ClusterNode, question: NodeQuestion) -> Future[NodeReport]:
        """What `node` says to `question`. The future raises `WorkerGoneError` if nothing can be run there."""
        ...

    def start(self, share: WorkerShare, setup: HostSetup, make_host: MakeHost) -> RemoteWorker:
        """Start a worker of the kind of `share`, which calls `make_host`; does not wait until it is there.

        One for clips asks nothing, and is there from `carry_out` on until its work has ended.
        """
        ...

    def close(self) -> None:
        """End all workers and the connection."""
        ...
