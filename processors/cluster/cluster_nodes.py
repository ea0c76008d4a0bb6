"""Which nodes of a cluster take part in a run, and how each is divided between workers."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Container, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path

from config import RunSettings, Settings
from core.errors import InterruptedRunError, PipelineError, SettingsError
from processors.cluster.cluster import Cluster, ClusterNode, WorkerShare
from processors.cluster.node_check import NodeReport, examine_node, node_question, why_left_out
from processors.workers.worker_count import CPUS_PER_WORKER
from processors.workers.worker_source import WorkerKind

logger = logging.getLogger(__name__)

EXAMINE_TIMEOUT_S = 60.0
"""a node has to start Python and to read weights, which may lie on a slow shared disk"""
_POLL_S = 0.1


def agreed_nodes(
    cluster: Cluster, settings: Settings, inputs: Sequence[Path], output_dir: Path, stop: threading.Event
) -> list[ClusterNode]:
    """The nodes that give the same results as this machine would; the others are named, with the reason.

    Raises:
        SettingsError: there is none. OutputError: the output folder cannot be written.
        InterruptedRunError: `stop` was set meanwhile.
    """
    nodes = cluster.nodes()
    with node_question(settings, inputs, output_dir) as question:
        asked = [(node, cluster.examine(node, question)) for node in nodes]
        ours = examine_node(question)
        deadline = time.monotonic() + EXAMINE_TIMEOUT_S
        left_out = {node.id: _why_not(report, ours, deadline, stop) for node, report in asked}
    for node in nodes:
        if left_out[node.id]:
            logger.warning("node %s is left out: %s", node.name, "; ".join(left_out[node.id]))
    agreed = [node for node in nodes if not left_out[node.id]]
    if not agreed:
        reason = "; ".join(next(iter(left_out.values()))) if nodes else "it has no nodes"
        raise SettingsError(f"no node of the cluster can take part: {reason}")
    return agreed


def worker_shares(nodes: Sequence[ClusterNode], settings: Settings) -> list[WorkerShare]:
    """A worker for each GPU, on nodes without one for every few cores; in an order that spreads them over the nodes.

    With a number of workers in the settings they are so many in all, at most one for each core or GPU.
    """
    with_gpu = {node.id for node in nodes if node.gpus and settings.analysis.device != "cpu"}
    counts = _worker_counts(nodes, with_gpu, settings.run)
    shares = []
    for node in sorted(nodes, key=lambda node: -node.cpus):
        for number in range(counts[node.id]):
            cpus = max(node.cpus // counts[node.id], 1)
            cpus = min(settings.run.threads or cpus, cpus)
            gpus = (1.0 - _encoder_share(settings)) if node.id in with_gpu else 0.0
            shares.append((number, WorkerShare(node, cpus, gpus, _whole(cpus / 2))))
    shares.sort(key=lambda numbered: numbered[0])
    return [share for _, share in shares]


def _worker_counts(nodes: Sequence[ClusterNode], with_gpu: Container[str], run: RunSettings) -> dict[str, int]:
    """How many workers each node gets, by its id. with_gpu: ids of the nodes whose workers have a GPU each."""
    most = {node.id: max(min(node.cpus, node.gpus) if node.id in with_gpu else node.cpus, 1) for node in nodes}
    if not isinstance(run.workers, int):
        per_worker = run.threads or CPUS_PER_WORKER
        return {n.id: most[n.id] if n.id in with_gpu else max(n.cpus // per_worker, 1) for n in nodes}
    counts = dict.fromkeys(most, 0)
    for _ in range(min(run.workers, sum(most.values()))):
        # A GPU before cores, then where a worker gets most cores.
        free = (node for node in nodes if counts[node.id] < most[node.id])
        chosen = max(free, key=lambda node: (node.id in with_gpu, node.cpus / (counts[node.id] + 1)))
        counts[chosen.id] += 1
    return counts


def render_shares(workers: Sequence[WorkerShare], settings: Settings) -> list[WorkerShare]:
    """For the clips: on the cores of each worker one that makes them, beside a GPU one for every few cores.

    They have no GPU, unless its encoder is demanded: then one for each GPU has a part of it.
    """
    shares = []
    for worker in workers:
        count = max((worker.cpus - CPUS_PER_WORKER) // CPUS_PER_WORKER, 1) if worker.gpus else 1
        gpus = _encoder_share(settings) if worker.gpus else 0.0
        # An encoder makes few clips at a time.
        count = 1 if gpus else count
        reserved = _whole((worker.cpus - worker.reserved) / count)
        shares += [WorkerShare(worker.node, max(worker.cpus // count, 1), gpus, reserved, WorkerKind.CLIPS)] * count
    return shares


def _encoder_share(settings: Settings) -> float:
    """The share of a GPU for whoever makes clips. Less than half, so that no two workers get the same GPU."""
    return 0.4 if settings.encode.codec == "nvenc" else 0.0


def _whole(cores: float) -> float:
    """As many cores as a cluster may give: whole ones, or a part of one."""
    return math.floor(cores) if cores >= 1 else 0.5


def _why_not(report: Future[NodeReport], ours: NodeReport, deadline: float, stop: threading.Event) -> list[str]:
    while True:
        if stop.is_set():
            raise InterruptedRunError("stopped")
        try:
            return why_left_out(report.result(_POLL_S), ours)
        except FutureTimeoutError:
            if time.monotonic() > deadline:
                return [f"no answer within {EXAMINE_TIMEOUT_S:.0f} s"]
        except PipelineError as error:
            return [str(error)]
