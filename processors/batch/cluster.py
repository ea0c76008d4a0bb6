"""What the batch asks of a cluster: its nodes, a look at each, and workers on them.

`processors/batch/ray_cluster.py` does it with Ray. Paths, settings and results travel; frames never do.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from processors.batch.cluster_worker import Said
from processors.batch.executor import VideoJob
from processors.batch.job_link import HostTerms
from processors.batch.node_check import NodeQuestion, NodeReport
from processors.batch.worker_process import Answered, MakeHost


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """A machine. id: unique in the cluster. name: for people. cpus, gpus: how many the cluster may use there."""

    id: str
    name: str
    cpus: int
    gpus: int


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """The part of a node that one worker has."""

    node: ClusterNode
    cpus: int
    gpus: int


class RemoteWorker(Protocol):
    """The driver's end of a `ClusterWorker` on a node. No method blocks.

    A future raises `WorkerGoneError` if the worker has ended or cannot be reached.
    """

    def carry_out(self, job: VideoJob) -> Future[None]:
        """Begin `job`, which must not be before the one before has ended; done when the worker has ended it."""
        ...

    def fetch(self) -> Future[tuple[Said, ...]]:
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

    def start(self, share: WorkerShare, terms: HostTerms, make_host: MakeHost) -> RemoteWorker:
        """Start a worker, which calls `make_host`; does not wait until it is there."""
        ...

    def close(self) -> None:
        """End all workers and the connection."""
        ...
