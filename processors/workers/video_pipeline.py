"""The executor that works in this process: it renders one video while it analyses the next.

submit -> jobs -> [thread analyse] -> queue of 1 -> [thread finish] -> outcome
"""

from __future__ import annotations

import contextlib
import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from core.errors import InterruptedRunError
from processors.batch.executor import JobOutcome, VideoJob
from processors.batch.input_result import InputResult
from processors.workers.stage_runner import StageRunner
from processors.workers.video_processor_factory import MakeProcessor
from processors.workers.video_work import AnalysedVideo, analyse_video, finish_video
from processors.workers.worker_threads import WorkerThreads
from utils.console.batch_monitor import BatchMonitor
from utils.processes.malloc_tuning import give_back_memory

_Item = TypeVar("_Item")

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class _Submitted:
    job: VideoJob
    future: Future[JobOutcome]


@dataclass(frozen=True, slots=True)
class _Analysed:
    submitted: _Submitted
    video: AnalysedVideo


class VideoPipeline:
    """An `Executor` with two threads; they share nothing but the queues."""

    def __init__(
        self,
        monitor: BatchMonitor,
        stages: StageRunner,
        threads: WorkerThreads,
        make_processor: MakeProcessor,
        release_models: Callable[[], None],
    ) -> None:
        """threads: the threads of the batch; the caller starts them.

        release_models: called when nothing is left to analyse.
        """
        self._monitor = monitor
        self._stop = monitor.stop
        self._stages = stages
        self._make_processor = make_processor
        self._release_models = release_models
        self._jobs: queue.Queue[_Submitted | None] = queue.Queue()
        self._analysed: queue.Queue[_Analysed | None] = queue.Queue(maxsize=1)
        self._last: JobOutcome | None = None
        self._is_idle = threading.Event()
        threads.add("analyse", self._analyse_all)
        threads.add("finish", self._finish_all)

    def wait_for_capacity(self, timeout_s: float) -> bool:
        """See `Executor.wait_for_capacity`."""
        return self._is_idle.wait(timeout_s)

    def submit(self, job: VideoJob) -> Future[JobOutcome]:
        """See `Executor.submit`."""
        submitted = _Submitted(job, Future())
        self._is_idle.clear()
        self._jobs.put(submitted)
        return submitted.future

    def close(self) -> None:
        """See `Executor.close`."""
        self._jobs.put(None)

    def _analyse_all(self) -> None:
        self._is_idle.set()
        while (item := self._take(self._jobs)) is not None and self._last is None:
            self._run(item, "analyse", functools.partial(self._analyse, item))
            give_back_memory()
            if self._jobs.empty():
                self._is_idle.set()
        # Rendering may continue for a long time and needs as much memory again.
        self._release_models()
        give_back_memory()
        self._put(None)

    def _analyse(self, item: _Submitted) -> None:
        monitor = self._monitor.video(item.job.source.name)
        self._put(_Analysed(item, analyse_video(item.job, monitor, self._make_processor)))

    def _finish_all(self) -> None:
        while (item := self._take(self._analysed)) is not None:
            self._run(item.submitted, "finish", functools.partial(finish_video, item.video))
            # An analysis may be large: do not keep this one while waiting for the next.
            del item
            give_back_memory()
            if self._last is not None and self._last.fatal is not None:
                self._stop.set()

    def _run(self, item: _Submitted, stage: str, work: Callable[[], InputResult | None]) -> None:
        outcome = self._stages.run(item.job.source, stage, work)
        if outcome is None:
            return
        if outcome.is_last:
            self._last = self._last or outcome
        item.future.set_result(outcome)

    def _put(self, item: _Analysed | None) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._analysed.put(item, timeout=_POLL_S)
                return
        if item is not None:
            raise InterruptedRunError("stopped", path=item.submitted.job.info.path)

    def _take(self, source: queue.Queue[_Item | None]) -> _Item | None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Empty):
                return source.get(timeout=_POLL_S)
        return None
