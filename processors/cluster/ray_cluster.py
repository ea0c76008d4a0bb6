"""A cluster by Ray.

An actor per worker holds the models; clips are made by plain tasks, which have none. Actors are never detached, so Ray
ends them when the driver's process is gone; the processes of `--cluster local` are children of the driver and die with
the thread that has called `connect`. Ray's own restarts are off: which work a dead worker had, and what becomes of it,
is decided by the batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from processors.cluster.cluster import ClusterNode, RemoteWorker, WorkerShare
from processors.cluster.cluster_worker import ClusterProcess, WorkerMessage
from processors.cluster.node_check import NodeQuestion, NodeReport, examine_node
from processors.cluster.ray_connection import RayConnection, open_ray
from processors.cluster.ray_failures import watched
from processors.cluster.ray_task import RayTask
from processors.cluster.render_task import render_task
from processors.workers.job_link import HostSetup
from processors.workers.render_work import Work
from processors.workers.worker_process import Answered, MakeHost
from processors.workers.worker_source import WorkerKind
from utils.console.printable_text import ascii_safe

_CALLS_AT_A_TIME = 4
"""of one worker: a job, a fetch, an answer, a stop"""


def connect(address: str) -> RayCluster:
    """The cluster at `address`; see `open_ray`, also for what is raised.

    Has to be called on a thread that lives as long as the cluster.
    """
    return RayCluster(open_ray(address))


class RayCluster:
    """A `Cluster`."""

    def __init__(self, connection: RayConnection) -> None:
        self._connection = connection
        self._ray = connection.ray

    def nodes(self) -> list[ClusterNode]:
        """See `Cluster.nodes`."""
        alive = sorted((node for node in self._ray.nodes() if node["Alive"]), key=lambda node: str(node["NodeID"]))
        found = []
        for node in alive:
            resources = node["Resources"]
            name = ascii_safe(f"{node['NodeManagerHostname']} ({node['NodeID'][:6]})")
            found.append(ClusterNode(node["NodeID"], name, int(resources.get("CPU", 0)), int(resources.get("GPU", 0))))
        return [node for node in found if node.cpus > 0]

    def examine(self, node: ClusterNode, question: NodeQuestion) -> Future[NodeReport]:
        """See `Cluster.examine`."""
        task = self._ray.remote(num_cpus=0, max_retries=0)(examine_node)
        call = task.options(scheduling_strategy=self._connection.node_affinity(node.id)).remote(question)
        return watched(call.future())

    def start(self, share: WorkerShare, setup: HostSetup, make_host: MakeHost) -> RemoteWorker:
        """See `Cluster.start`: an actor, or for clips a task."""
        ray = self._ray
        place = {
            "num_cpus": share.reserved,
            "num_gpus": share.gpus,
            "scheduling_strategy": self._connection.node_affinity(share.node.id),
        }
        if share.kind is WorkerKind.VIDEOS:
            options = {"max_restarts": 0, "max_task_retries": 0, "max_concurrency": _CALLS_AT_A_TIME}
            return RayWorker(ray, ray.remote(**place, **options)(ClusterProcess).remote(setup, make_host))
        render = _render_with_gpu if share.gpus else _render_without_gpu
        task = ray.remote(**place, max_retries=0, num_returns="streaming")(render)
        return RayTask(ray, lambda work: task.remote(setup, make_host, work))

    def close(self) -> None:
        """See `Cluster.close`."""
        self._connection.close()


def _render_without_gpu(setup: HostSetup, make_host: MakeHost, work: Any) -> Iterator[tuple[WorkerMessage, ...]]:
    # Not every release of Ray does it; clips must not depend on whether a node has a GPU.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    yield from render_task(setup, make_host, work)


def _render_with_gpu(setup: HostSetup, make_host: MakeHost, work: Any) -> Iterator[tuple[WorkerMessage, ...]]:
    yield from render_task(setup, make_host, work)


class RayWorker:
    """A `RemoteWorker` for one work after another."""

    def __init__(self, ray: Any, actor: Any) -> None:
        """actor: handle of a `ClusterProcess`."""
        self._ray = ray
        self._actor = actor

    def carry_out(self, work: Work) -> Future[None]:
        """See `RemoteWorker.carry_out`."""
        return watched(self._actor.carry_out.remote(work).future())

    def fetch(self) -> Future[tuple[WorkerMessage, ...]]:
        """See `RemoteWorker.fetch`."""
        return watched(self._actor.fetch.remote().future())

    def answer(self, answered: Answered) -> None:
        """See `RemoteWorker.answer`."""
        self._actor.answer.remote(answered)

    def stop(self) -> None:
        """See `RemoteWorker.stop`."""
        self._actor.stop.remote()

    def kill(self) -> None:
        """See `RemoteWorker.kill`."""
        self._ray.kill(self._actor, no_restart=True)
