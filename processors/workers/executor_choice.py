"""Chooses what processes the videos of a run: this process, or several."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config import Settings
from core.thread_budget import thread_budget
from processors.batch.executor import Executor
from processors.batch.run_journal import RunJournal
from processors.known_people.people_namer import PeopleNamer
from processors.workers.stage_runner import StageRunner
from processors.workers.video_pipeline import VideoPipeline
from processors.workers.video_processor_factory import MakeProcessor
from processors.workers.worker_threads import WorkerThreads
from utils.console.batch_monitor import BatchMonitor
from utils.console.plurals import count_of

if TYPE_CHECKING:
    # A run that works in this process needs nothing of the pool.
    from processors.workers.worker_process import MakeHost
    from processors.workers.worker_source import WorkerSource

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunParts:
    """What an executor gets of the run. namer: None where nobody is named. stages: of this process."""

    settings: Settings
    output_dir: Path
    monitor: BatchMonitor
    journal: RunJournal
    stages: StageRunner
    threads: WorkerThreads
    namer: PeopleNamer | None


def executor_here(parts: RunParts, make_processor: MakeProcessor, release_models: Callable[[], None]) -> Executor:
    """Works on one video at a time, in this process. release_models: called when nothing is left to analyse."""
    return VideoPipeline(parts.monitor, parts.stages, parts.threads, make_processor, release_models)


def executor_of_processes(parts: RunParts, workers: int, make_host: MakeHost | None = None) -> Executor:
    """Works on `workers` videos at a time. make_host: called in each process; None: `real_host`."""
    from processors.workers.job_link import HostSetup
    from processors.workers.pool_worker import ProcessSource
    from processors.workers.worker_process import real_host
    from utils.console.log_forwarding import log_levels

    threads = max(1, thread_budget(parts.settings.run.threads).total // workers)
    logger.info("%d videos at a time, each with %s", workers, count_of(threads, "thread"))
    setup = HostSetup(parts.settings, parts.output_dir, threads, log_levels())
    return pool_executor(parts, ProcessSource(workers, setup, make_host or real_host))


def pool_executor(parts: RunParts, source: WorkerSource) -> Executor:
    """Works on as many videos at a time as `source` has workers."""
    from processors.workers.naming_service import NamingService
    from processors.workers.remote_monitor import RemoteMonitor
    from processors.workers.worker_pool import WorkerPool

    return WorkerPool(
        source,
        NamingService(parts.namer, parts.monitor.stop),
        RemoteMonitor(parts.monitor, parts.journal),
        parts.stages,
        parts.threads,
        stall_limit_s=60 * parts.settings.run.stall_limit,
    )
