"""The body of a task of a cluster: makes clips of one video, without models, and reports what happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from processors.cluster.cluster_worker import ClusterProcess, WorkerMessage, ends_job
from processors.workers.job_link import HostSetup
from processors.workers.render_work import RenderWork
from processors.workers.worker_process import MakeHost
from utils.processes.future_threads import FutureThread


def render_task(setup: HostSetup, make_host: MakeHost, work: RenderWork) -> Iterator[tuple[WorkerMessage, ...]]:
    """Yield what there is to say, at least every few seconds; `Ended` last. A KeyboardInterrupt ends it in order."""
    worker = ClusterProcess(setup, make_host)
    thread = FutureThread(lambda: worker.carry_out(work), name="render")
    thread.start()
    try:
        while True:
            messages = worker.fetch()
            yield messages
            if ends_job(messages):
                return
            if thread.has_ended:
                thread.future.result()
    except KeyboardInterrupt:
        worker.stop()
        thread.join()
        raise
