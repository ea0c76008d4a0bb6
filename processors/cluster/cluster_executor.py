"""The executor of a run on a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from processors.batch.executor import Executor
from processors.cluster.node_source import NodeSource
from processors.cluster.ray_cluster import connect
from processors.workers.executor_choice import RunParts, pool_executor
from processors.workers.worker_process import MakeHost, real_host


def executor_of_cluster(parts: RunParts, inputs: Sequence[Path], make_host: MakeHost | None = None) -> Executor:
    """Works on the nodes of a cluster, on as many videos at a time as the nodes allow.

    inputs: files of the run. make_host: called in each worker; None: `real_host`.
    """
    address, monitor, host = parts.settings.run.cluster, parts.monitor, make_host or real_host
    source = NodeSource(lambda: connect(address), parts.settings, inputs, parts.output_dir, monitor, host)
    return pool_executor(parts, source)
