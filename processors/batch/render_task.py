"""The body of a task of a cluster: makes clips of one video, without models, and reports what happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from processors.batch.cluster_worker import ClusterProcess, Said, ends_job
from processors.batch.job_link import HostTerms
from processors.batch.render_work import RenderWork
from processors.batch.worker_process import MakeHost
from utils.future_threads import FutureThread


def render_task(terms: HostTerms, make_host: MakeHost, work: RenderWork) -> Iterator[tuple[Said, ...]]:
    """Yield what there is to say, at least every few seconds; `Ended` last. A KeyboardInterrupt ends it in order."""
    worker = ClusterProcess(terms, make_host)
    thread = FutureThread(lambda: worker.carry_out(work), name="render")
    thread.start()
    try:
        while True:
            said = worker.fetch()
            yield said
            if ends_job(said):
                return
            if thread.has_ended:
                thread.future.result()
    except KeyboardInterrupt:
        worker.stop()
        thread.join()
        raise
