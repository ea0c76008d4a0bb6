"""The executor that works on several videos at a time: a worker for each, and a new one for one that breaks.

    submit -> queue -> [thread workers] -> a worker per video, on this machine or a node of a cluster -> outcome
                              |   |
                              |   '-> analysed -> named -> workers without models make the clips -> outcome
                       [thread names] answers what they ask about people

A worker that dies, or shows no progress for too long, costs what it was given only: that is tried once more by a new
one, and the video is left out if that one breaks, too. A worker takes few videos, so that what foreign code leaks
cannot add up.
"""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from core.errors import InterruptedRunError, WorkerGoneError
from processors.batch.batch_inspection import one_line_reason
from processors.batch.executor import JobOutcome, VideoJob
from processors.batch.input_result import failed, interrupted
from processors.batch.job_host import SetAside, WorkOutcome
from processors.batch.job_link import ClipsMade, NamesWanted
from processors.batch.naming_desk import NamingDesk
from processors.batch.pool_tasks import PoolTask, TaskQueue
from processors.batch.remote_monitor import RemoteMonitor
from processors.batch.render_queue import RenderQueue, RenderTask
from processors.batch.render_work import Analysed, ShareMade
from processors.batch.run_journal import MAX_CRASHES, stage_verb
from processors.batch.stage_runner import StageRunner
from processors.batch.worker_process import Asked, Ended, Started
from processors.batch.worker_source import Inbox, Worker, WorkerSource
from processors.batch.worker_threads import WorkerThreads
from processors.known_people.people_namer import VideoNames
from utils.time_formats import format_duration

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_STOP_TIMEOUT_S = 0.9
"""how long workers may take to end in order; the batch waits a little longer for its threads"""
_START_LIMIT_S = 120.0
"""for the start of a process, however short the limit for stages is; it takes a second or two, on a busy disk longer"""
_START_PAUSE_S = 60.0
"""after a failure to start a process: by then another program may have ended"""
_PAUSE_S = 10.0
"""a longer time between two looks means that this process was suspended, and its workers with it"""


class WorkerPool:
    """An `Executor` with as many workers as a source gives."""

    def __init__(
        self,
        source: WorkerSource,
        desk: NamingDesk,
        remote: RemoteMonitor,
        stages: StageRunner,
        threads: WorkerThreads,
        stop: threading.Event,
        *,
        stall_limit_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """threads: the threads of the batch; the caller starts them.

        stall_limit_s: a worker without progress for so long is taken to hang.
        """
        self._source = source
        self._desk = desk
        self._remote = remote
        self._stages = stages
        self._stop = stop
        self._stall_limit_s = stall_limit_s
        self._clock = clock
        self._inbox: Inbox = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._queue = TaskQueue(lambda video: desk.is_turn(video))
        self._renders = RenderQueue()
        self._workers: dict[Worker, PoolTask | RenderTask | None] = {}
        self._is_closed = False
        self._no_start_before = -math.inf
        self._last: JobOutcome | None = None
        threads.add("workers", self._manage)
        threads.add("names", desk.run)

    def wait_for_room(self, timeout_s: float) -> bool:
        """See `Executor.wait_for_room`."""
        with self._changed:
            return self._changed.wait_for(self._has_room, timeout_s)

    def submit(self, job: VideoJob) -> Future[JobOutcome]:
        """See `Executor.submit`."""
        task = PoolTask(job)
        self._desk.expect(job.fingerprint)
        with self._changed:
            self._queue.add(task)
        return task.future

    def close(self) -> None:
        """See `Executor.close`."""
        with self._changed:
            self._is_closed = True

    def _has_room(self) -> bool:
        return len(self._queue) + self._busy(PoolTask) < self._source.count and not self._is_behind()

    def _is_behind(self) -> bool:
        """Whether enough videos are analysed, or a run would hold more and more of them that others could do."""
        return self._renders.ready > self._source.render_count

    def _busy(self, kind: type = object) -> int:
        return sum(task is not None and isinstance(task, kind) for task in self._workers.values())

    def _manage(self) -> None:
        try:
            with contextlib.suppress(InterruptedRunError):
                if self._has_work():
                    self._source.open()
                    self._work()
        finally:
            # An idle worker has nothing to lose.
            for worker in list(self._workers):
                self._discard(worker)
            self._desk.close()
            self._source.close()

    def _has_work(self) -> bool:
        """Wait for the first job; False if there is none. A source may take long to open, for nothing."""
        with self._changed:
            while not self._queue and not self._is_closed and not self._stop.is_set():
                self._changed.wait(_POLL_S)
            return bool(self._queue) and not self._stop.is_set()

    def _work(self) -> None:
        looked = self._clock()
        while not self._stop.is_set() and not self._is_done():
            self._assign()
            self._receive(_POLL_S)
            now = self._clock()
            if now - looked > _PAUSE_S:
                for worker in self._workers:
                    worker.heard()
            looked = now
            self._give_up_hanging()
        if self._stop.is_set():
            self._end_jobs()
        elif self._last is not None:
            self._stop.set()

    def _is_done(self) -> bool:
        with self._changed:
            if self._busy():
                return False
            return self._last is not None or (self._is_closed and self._queue.is_empty and self._renders.is_empty)

    def _assign(self) -> None:
        """Give work to idle workers, and start workers for more as far as there may be more."""
        if self._last is not None:
            return
        with self._changed:
            for video, error in self._renders.take_named():
                self._fail(video, one_line_reason(video.job.source, error))
            while self._busy(RenderTask) < self._source.render_count and (piece := self._renders.next()) is not None:
                if not self._begin(piece):
                    break
            while (
                not self._is_behind()
                and self._busy(PoolTask) < self._source.count
                and (task := self._queue.next()) is not None
            ):
                if not self._begin(task):
                    break
            self._changed.notify_all()

    def _begin(self, task: PoolTask | RenderTask) -> bool:
        """Give `task` to a worker; False if there is none for it now."""
        idle = None
        if isinstance(task, PoolTask):
            idle = next((worker for worker, other in self._workers.items() if other is None), None)
        worker = idle or self._start(task)
        if worker is not None:
            self._workers[worker] = task
            worker.give(task.work)
        return worker is not None

    def _start(self, task: PoolTask | RenderTask) -> Worker | None:
        """A new worker for `task`; without one it waits, or fails if there are no others that may make room."""
        if self._clock() < self._no_start_before:
            self._put_first(task)
            return None
        try:
            if isinstance(task, RenderTask):
                return self._source.start_render(self._inbox)
            return self._source.start(self._inbox)
        except OSError as error:
            reason = f"no worker process can be started: {error.strerror or error}"
        if self._workers:
            logger.warning("%s; going on with %d", reason, len(self._workers))
            self._no_start_before = self._clock() + _START_PAUSE_S
            self._repeat_with_fewer(task)
        else:
            self._fail(task.video, reason)
        return None

    def _put_first(self, task: PoolTask | RenderTask) -> None:
        if isinstance(task, RenderTask):
            self._renders.put_first(task)
        else:
            self._queue.put_first(task)

    def _receive(self, timeout_s: float) -> None:
        """Deal with what workers have said, waiting for the first message."""
        try:
            worker, message = self._inbox.get(timeout=timeout_s)
            while True:
                if worker in self._workers:
                    self._take(worker, message)
                worker, message = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _take(self, worker: Worker, message: Any) -> None:
        worker.heard()
        if message is None:
            self._lose(worker, f"crashed ({worker.cause_of_death()})")
        elif isinstance(message, Asked):
            worker.expect_answer(message, self._desk.ask(message.question))
        elif isinstance(message, Started):
            worker.is_started = True
        elif isinstance(message, Ended):
            self._end(worker, message.outcome, message.trouble)
        elif isinstance(message, ClipsMade):
            self._desk.note(message)
        else:
            self._remote.receive(message)

    def _end(self, worker: Worker, outcome: WorkOutcome, trouble: str) -> None:
        """The worker's job has ended with `outcome`; it is idle, or gone if it may take no more."""
        task = self._workers[worker]
        if task is None:
            raise RuntimeError("a worker ended a job that it was not given")
        if isinstance(outcome, JobOutcome) and outcome.result is None:
            self._lose(worker, "could no longer use the GPU")
            return
        is_repeated = bool(trouble) and self._source.avoid(worker.place, trouble)
        with self._changed:
            self._workers[worker] = None
            for idle in [w for w, other in self._workers.items() if other is None and not w.is_wanted]:
                self._discard(idle)
            if is_repeated:
                self._repeat_with_fewer(task)
            elif isinstance(outcome, JobOutcome):
                if outcome.is_last:
                    self._last = self._last or outcome
                if isinstance(task, RenderTask) and task.work.share is not None and outcome.result is not None:
                    self._stages.report(outcome.result)
                self._finish(task.video, outcome)
            else:
                self._go_on(task, outcome)

    def _go_on(self, task: PoolTask | RenderTask, outcome: SetAside | Analysed | ShareMade) -> None:
        """A piece of the work on a video is done, and more is left."""
        if isinstance(task, RenderTask):
            if isinstance(outcome, ShareMade):
                self._renders.share_made(task, outcome.wall_s)
            return
        if isinstance(outcome, SetAside):
            task.before = task.before or outcome
            self._queue.set_aside(task)
        elif isinstance(outcome, Analysed):
            task.before = outcome
            self._renders.add(task, outcome, self._names_of(outcome))

    def _names_of(self, analysed: Analysed) -> Future[VideoNames]:
        if analysed.case is not None:
            return self._desk.ask(NamesWanted(analysed.case))
        nobody: Future[VideoNames] = Future()
        nobody.set_result(VideoNames())
        return nobody

    def _lose(self, worker: Worker, what: str) -> None:
        """The worker is broken; its job is tried once more. what: has happened, as "crashed (SIGSEGV)"."""
        with self._changed:
            task = self._workers[worker]
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
        if isinstance(task, RenderTask):
            stage = "finish"  # it may have died before it could say so
        text = f"its worker process {what} while the video was being {stage_verb(stage)}"
        if task.losses >= MAX_CRASHES:
            self._fail(task.video, f"{text}, for the second time; left out")
            return
        if not self._stop.is_set():
            logger.warning("%s: %s; trying it once more", task.video.job.source.label, text)
        with self._changed:
            self._put_first(task)

    def _go_on_without(self, task: PoolTask | RenderTask, what: str) -> None:
        """A worker has failed before it came to its job, which is given to another one if there may be one."""
        if self._source.count if isinstance(task, PoolTask) else self._source.render_count:
            self._repeat_with_fewer(task)
            return
        error = WorkerGoneError(f"no worker is left that could do it; the last one {what}")
        self._last = JobOutcome(failed(task.video.job.source, error.message), error)
        self._finish(task.video, self._last)

    def _repeat_with_fewer(self, task: PoolTask | RenderTask) -> None:
        """Begin `task` next, although there may be fewer workers now."""
        if isinstance(task, PoolTask) and not task.job.settings.run.cache:
            # Videos cannot be set aside, so all workers that are left may be waiting until this one's people are named.
            self._desk.leave(task.job.fingerprint)
            self._desk.expect(task.job.fingerprint)
        with self._changed:
            self._put_first(task)

    def _give_up_hanging(self) -> None:
        for worker, task in list(self._workers.items()):
            limit_s = self._stall_limit_s if worker.is_started else max(self._stall_limit_s, _START_LIMIT_S)
            if task is not None and worker.silent_s > limit_s:
                self._lose(worker, f"made no progress for {format_duration(limit_s)}")

    def _end_jobs(self) -> None:
        """The run ends: end all jobs in order as far as that is quick."""
        for worker in self._workers:
            worker.stop()
        deadline = self._clock() + _STOP_TIMEOUT_S
        while self._busy() and self._clock() < deadline:
            self._receive(_POLL_S)
        begun = [task.video for task in self._workers.values() if task is not None]
        begun += [*self._queue.begun, *self._renders.videos]
        for worker in list(self._workers):
            self._discard(worker)
        for task in dict.fromkeys(begun):
            result = interrupted(task.video.job.source, "stopped before it was done")
            self._finish(task, JobOutcome(result))

    def _fail(self, task: PoolTask, reason: str) -> None:
        result = failed(task.video.job.source, reason)
        self._stages.report(result)
        self._finish(task, JobOutcome(result))

    def _finish(self, video: PoolTask, outcome: JobOutcome) -> None:
        with self._changed:
            for worker in [w for w, task in self._workers.items() if task is not None and task.video is video]:
                # What others make for a video that has failed is of no use.
                self._discard(worker)
                self._remote.forget(video.job.source.name)
            shares_s = self._renders.leave(video)
        if isinstance(video.before, Analysed):
            self._source.drop(video.before.key)
        self._desk.leave(video.job.fingerprint)
        video.end(outcome, shares_s)

    def _discard(self, worker: Worker) -> None:
        with self._changed:
            del self._workers[worker]
        self._source.end(worker)
