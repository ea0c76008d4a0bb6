"""The remaining work of a pool of workers: tasks that can start, and tasks that wait for names or for other tasks.

A video is one task if one worker does all of it. If others make its clips, it is first a task of analysis; once its
people are named, either one task for all clips, or one for each share of them and a last one for the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from processors.known_people.people_namer import VideoNames
from processors.workers.job_host import SetAside
from processors.workers.job_link import NamesQuestion
from processors.workers.naming_service import NamingService
from processors.workers.pool_tasks import PoolTask, PoolVideo
from processors.workers.render_work import Analysed, RenderWork, ShareMade
from processors.workers.worker_source import WorkerKind


@dataclass(slots=True, eq=False)
class _Unnamed:
    video: PoolVideo
    analysed: Analysed
    names: Future[VideoNames]


class WorkQueue:
    """The tasks of a pool. Not thread-safe."""

    def __init__(self, naming: NamingService, workers: Callable[[WorkerKind], int]) -> None:
        """workers: how many there may be of a kind."""
        self._naming = naming
        self._workers = workers
        self._waiting: dict[WorkerKind, deque[PoolTask]] = {kind: deque() for kind in WorkerKind}
        self._aside: list[PoolTask] = []
        self._unnamed: list[_Unnamed] = []

    @property
    def is_empty(self) -> bool:
        """Whether no task is left to begin, now or later; some may still be under way."""
        return not any(self._waiting.values()) and not self._aside and not self._unnamed

    @property
    def begun(self) -> list[PoolVideo]:
        """The videos here that some worker has begun."""
        new = self._waiting[WorkerKind.VIDEOS]
        again = [*self._aside, *(task for task in new if task.losses), *self._waiting[WorkerKind.CLIPS]]
        return list(dict.fromkeys([*(task.video for task in again), *(one.video for one in self._unnamed)]))

    def has_capacity(self, busy: Callable[[WorkerKind], int]) -> bool:
        """Whether a video that is added now would be begun at once. busy: how many workers of a kind are at work."""
        kind = WorkerKind.VIDEOS
        return len(self._waiting[kind]) + busy(kind) < self._workers(kind) and not self._has_enough_analysed

    def add(self, video: PoolVideo) -> None:
        """Begin `video` after all others."""
        self._naming.expect(video.job.fingerprint)
        self._waiting[WorkerKind.VIDEOS].append(PoolTask(video, video.job, WorkerKind.VIDEOS))

    def next(self, kind: WorkerKind) -> PoolTask | None:
        """Take the task that a worker of `kind` is to begin next: of those set aside one whose turn has come."""
        if kind is WorkerKind.VIDEOS and self._has_enough_analysed:
            return None
        for task in self._aside:
            if task.needs is kind and self._naming.is_turn(task.video.job.fingerprint):
                self._aside.remove(task)
                return task
        return self._waiting[kind].popleft() if self._waiting[kind] else None

    def put_first(self, task: PoolTask) -> None:
        """Begin `task`, which was taken, next."""
        self._waiting[task.needs].appendleft(task)

    def put_first_with_fewer(self, task: PoolTask) -> None:
        """Begin `task`, which was taken, next, although there may be fewer workers now."""
        job = task.video.job
        if task.needs is WorkerKind.VIDEOS and not job.settings.run.cache:
            # Videos cannot be set aside, so all workers that are left may be waiting until this one's people are named.
            self._naming.leave(job.fingerprint)
            self._naming.expect(job.fingerprint)
        self.put_first(task)

    def go_on(self, task: PoolTask, outcome: SetAside | Analysed | ShareMade) -> None:
        """`task` is done, and more is left to do for its video."""
        video = task.video
        if isinstance(outcome, SetAside):
            video.before = video.before or outcome
            self._aside.append(task)
        elif isinstance(outcome, Analysed):
            video.before, video.analysis_key = outcome, outcome.key
            self._unnamed.append(_Unnamed(video, outcome, self._names_of(outcome)))
        else:
            video.shares_left -= 1
            video.shares_s += outcome.wall_s
            if not video.shares_left and video.rest is not None:
                # First: it takes little time, and then the video is done.
                self.put_first(video.rest)

    def take_named(self) -> list[tuple[PoolVideo, Exception]]:
        """Make tasks of the videos whose people have been named; returns those that cannot be named, with the error."""
        failed = []
        for one in [one for one in self._unnamed if one.names.done()]:
            self._unnamed.remove(one)
            error = one.names.exception()
            if isinstance(error, Exception):
                failed.append((one.video, error))
                continue
            rest = RenderWork(one.video.job, one.analysed.key, one.analysed.draft, one.names.result())
            shares = [] if one.analysed.draft.shared is None else range(rest.shares)
            one.video.shares_left = len(shares)
            one.video.rest = _clips_task(one.video, rest)
            tasks = [_clips_task(one.video, replace(rest, share=number)) for number in shares]
            self._waiting[WorkerKind.CLIPS].extend(tasks or [one.video.rest])
        return failed

    def leave(self, video: PoolVideo) -> None:
        """`video` is done or has failed, and nothing is left to do for it."""
        clips = self._waiting[WorkerKind.CLIPS]
        self._waiting[WorkerKind.CLIPS] = deque(task for task in clips if task.video is not video)
        self._naming.leave(video.job.fingerprint)

    @property
    def _has_enough_analysed(self) -> bool:
        """Or a run would hold more and more videos that others could do."""
        ready = {task.video for task in self._waiting[WorkerKind.CLIPS]}
        return len(ready) > self._workers(WorkerKind.CLIPS)

    def _names_of(self, analysed: Analysed) -> Future[VideoNames]:
        if analysed.case is not None:
            return self._naming.ask(NamesQuestion(analysed.case))
        nobody: Future[VideoNames] = Future()
        nobody.set_result(VideoNames())
        return nobody


def _clips_task(video: PoolVideo, work: RenderWork) -> PoolTask:
    return PoolTask(video, work, WorkerKind.CLIPS, stage="finish", is_share=work.share is not None)
