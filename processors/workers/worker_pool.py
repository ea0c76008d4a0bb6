"""The executor that works on several videos at a time: a worker for each, and a new one for each that breaks.

    submit -> queue -> [thread workers] -> a worker per video, on this machine or a node of a cluster -> outcome
                              |   |
                              |   '-> analysed -> named -> workers without models make the clips -> outcome
                       [thread names] answers what they ask about people

If a worker dies or shows no progress for too long, only the task that it was given is affected: a new worker tries it
once more, and if that one breaks, too, the video is left out. A worker is replaced after a few videos, so that leaks of
foreign code cannot add up.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from concurrent.futures import Future
from typing import Any

from core.errors import InterruptedRunError, WorkerGoneError
from processors.batch.batch_inspection import one_line_reason
from processors.batch.executor import JobOutcome, VideoJob
from processors.batch.input_result import failed, interrupted
from processors.batch.run_journal import MAX_CRASHES, stage_verb
from processors.workers.job_host import WorkOutcome
from processors.workers.job_link import ClipsMade
from processors.workers.naming_service import NamingService
from processors.workers.pool_tasks import PoolTask, PoolVideo
from processors.workers.remote_monitor import RemoteMonitor
from processors.workers.stage_runner import StageRunner
from processors.workers.work_queue import WorkQueue
from processors.workers.worker_process import Asked, Ended, Started
from processors.workers.worker_roster import WorkerRoster
from processors.workers.worker_source import Worker, WorkerKind, WorkerSource
from processors.workers.worker_threads import WorkerThreads
from utils.time_formats import format_duration

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_STOP_TIMEOUT_S = 0.9
"""how long workers may take to end in order; the batch waits a little longer for its threads"""


class WorkerPool:
    """An `Executor` with as many workers as a source gives.

    Attributes:
        roster: the workers and what each of them works on; for the thread `workers` only.
    """

    def __init__(
        self,
        source: WorkerSource,
        naming: NamingService,
        remote: RemoteMonitor,
        stages: StageRunner,
        threads: WorkerThreads,
        *,
        stall_limit_s: float,
    ) -> None:
        """threads: the threads of the batch; the caller starts them, and the pool ends when they are to stop.

        stall_limit_s: a worker without progress for so long is taken to hang.
        """
        self._source = source
        self._naming = naming
        self._remote = remote
        self._stages = stages
        self._stop = threads.stop
        self._changed = threading.Condition()
        self._queue = WorkQueue(naming, source.count)
        self.roster = WorkerRoster(source, stall_limit_s)
        self._is_closed = False
        self._last: JobOutcome | None = None
        threads.add("workers", self._manage)
        threads.add("names", naming.run)

    def wait_for_capacity(self, timeout_s: float) -> bool:
        """See `Executor.wait_for_capacity`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._queue.has_capacity(self.roster.busy), timeout_s)

    def submit(self, job: VideoJob) -> Future[JobOutcome]:
        """See `Executor.submit`."""
        video = PoolVideo(job)
        with self._changed:
            self._queue.add(video)
        return video.future

    def close(self) -> None:
        """See `Executor.close`."""
        with self._changed:
            self._is_closed = True

    def _manage(self) -> None:
        try:
            with contextlib.suppress(InterruptedRunError):
                if self._has_work():
                    self._source.open()
                    self._work()
        finally:
            # All that are left are idle: nothing is lost.
            for worker in self.roster:
                self._discard(worker)
            self._naming.close()
            self._source.close()

    def _has_work(self) -> bool:
        """Wait for the first job; False if there is none. A source may take long to open, for nothing."""
        with self._changed:
            while self._queue.is_empty and not self._is_closed and not self._stop.is_set():
                self._changed.wait(_POLL_S)
            return not self._queue.is_empty and not self._stop.is_set()

    def _work(self) -> None:
        while not self._stop.is_set() and not self._is_done():
            self._assign()
            self._receive(_POLL_S)
            for worker, limit_s in self.roster.hanging():
                if worker in self.roster:  # with the loss of another one, its video may have failed
                    self._lose(worker, f"made no progress for {format_duration(limit_s)}")
        if self._stop.is_set():
            self._end_jobs()
        elif self._last is not None:
            self._stop.set()

    def _is_done(self) -> bool:
        with self._changed:
            if self.roster.tasks:
                return False
            return self._last is not None or (self._is_closed and self._queue.is_empty)

    def _assign(self) -> None:
        """Give work to idle workers, and start workers for more as far as there may be more."""
        if self._last is not None:
            return
        with self._changed:
            for video, error in self._queue.take_named():
                self._fail(video, one_line_reason(video.job.source, error))
            for kind in WorkerKind:
                while self.roster.busy(kind) < self._source.count(kind):
                    task = self._queue.next(kind)
                    if task is None or not self._begin(task):
                        break
            self._changed.notify_all()

    def _begin(self, task: PoolTask) -> bool:
        """Give `task` to a worker. False if there is none now: it waits, or fails if there are no others."""
        try:
            worker = self.roster.idle(task.needs)
        except OSError as error:
            reason = f"no worker process can be started: {error.strerror or error}"
            if len(self.roster):
                logger.warning("%s; continuing with %d", reason, len(self.roster))
                self.roster.pause_starts()
                self._queue.put_first_with_fewer(task)
            else:
                self._fail(task.video, reason)
            return False
        if worker is None:
            self._queue.put_first(task)
            return False
        self.roster.give(worker, task)
        return True

    def _receive(self, timeout_s: float) -> None:
        """Deal with what workers have said, waiting for the first message."""
        try:
            worker, message = self.roster.inbox.get(timeout=timeout_s)
            while True:
                if worker in self.roster:
                    self._take(worker, message)
                worker, message = self.roster.inbox.get_nowait()
        except queue.Empty:
            return

    def _take(self, worker: Worker, message: Any) -> None:
        worker.heard()
        if message is None:
            self._lose(worker, f"crashed ({worker.cause_of_death()})")
        elif isinstance(message, Asked):
            worker.expect_answer(message, self._naming.ask(message.question))
        elif isinstance(message, Started):
            worker.is_started = True
        elif isinstance(message, Ended):
            self._end(worker, message.outcome, message.trouble)
        elif isinstance(message, ClipsMade):
            self._naming.note(message)
        else:
            self._remote.receive(message)

    def _end(self, worker: Worker, outcome: WorkOutcome, trouble: str) -> None:
        """The worker's job has ended with `outcome`; it is idle, or gone if it may take no more."""
        task = self.roster.task_of(worker)
        if task is None:
            raise RuntimeError("a worker ended a job that it was not given")
        if isinstance(outcome, JobOutcome) and outcome.result is None:
            self._lose(worker, "could no longer use the GPU")
            return
        is_repeated = bool(trouble) and self._source.avoid(worker.place, trouble)
        with self._changed:
            self.roster.take_back(worker)
            for idle in self.roster.unwanted():
                self._discard(idle)
            if is_repeated:
                self._queue.put_first_with_fewer(task)
            elif isinstance(outcome, JobOutcome):
                if outcome.is_last:
                    self._last = self._last or outcome
                if task.is_share and outcome.result is not None:
                    self._stages.report(outcome.result)
                self._finish(task.video, outcome)
            else:
                self._queue.go_on(task, outcome)

    def _lose(self, worker: Worker, what: str) -> None:
        """The worker is broken; its job is tried once more. what: has happened, as "crashed (SIGSEGV)"."""
        with self._changed:
            task = self.roster.task_of(worker)
            is_to_blame = self._source.is_to_blame(worker)
            self._discard(worker)
        if task is None:
            logger.debug("an idle worker %s", what)
            return
        if is_to_blame:
            self._go_on_without(task, what)
            return
        task.losses += 1
        stage = self._remote.forget(task.video.job.source.name)
        # It may have died before it could say in which it was.
        text = f"its worker process {what} while the video was being {stage_verb(task.stage or stage)}"
        if task.losses >= MAX_CRASHES:
            self._fail(task.video, f"{text}, for the second time; left out")
            return
        if not self._stop.is_set():
            logger.warning("%s: %s; trying it once more", task.video.job.source.label, text)
        with self._changed:
            self._queue.put_first(task)

    def _go_on_without(self, task: PoolTask, what: str) -> None:
        """A worker has failed before it came to its job, which is given to another one if there may be one."""
        if self._source.count(task.needs):
            with self._changed:
                self._queue.put_first_with_fewer(task)
            return
        error = WorkerGoneError(f"no worker is left that could do it; the last one {what}")
        self._last = JobOutcome(failed(task.video.job.source, error.message), error)
        self._finish(task.video, self._last)

    def _end_jobs(self) -> None:
        """The run ends: end all jobs in order as far as that is quick."""
        for worker in self.roster:
            worker.stop()
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while self.roster.tasks and time.monotonic() < deadline:
            self._receive(_POLL_S)
        begun = [*(task.video for task in self.roster.tasks), *self._queue.begun]
        for worker in self.roster:
            self._discard(worker)
        for video in dict.fromkeys(begun):
            self._finish(video, JobOutcome(interrupted(video.job.source, "stopped before it was done")))

    def _fail(self, video: PoolVideo, reason: str) -> None:
        result = failed(video.job.source, reason)
        self._stages.report(result)
        self._finish(video, JobOutcome(result))

    def _finish(self, video: PoolVideo, outcome: JobOutcome) -> None:
        with self._changed:
            for worker in self.roster.at_work_on(video):
                # What others make for a video that has failed is of no use.
                self._discard(worker)
                self._remote.forget(video.job.source.name)
            self._queue.leave(video)
        if video.analysis_key:
            self._source.drop(video.analysis_key)
        video.end(outcome)

    def _discard(self, worker: Worker) -> None:
        with self._changed:
            self.roster.remove(worker)
        self._source.end(worker)
