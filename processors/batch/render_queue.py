"""Videos that are analysed: they wait until their people are named, then for workers that make their clips.

The clips of a long video are several tasks. What is left is one more, when all of these are done.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, replace

from processors.batch.pool_tasks import PoolTask
from processors.batch.render_work import Analysed, RenderWork
from processors.known_people.people_namer import VideoNames


@dataclass(slots=True, eq=False)
class RenderTask:
    """One piece of the work on `video`. losses: how many workers broke while they worked on it."""

    video: PoolTask
    work: RenderWork
    losses: int = 0


@dataclass(slots=True, eq=False)
class _Unnamed:
    video: PoolTask
    analysed: Analysed
    names: Future[VideoNames]


class RenderQueue:
    """Not thread-safe."""

    def __init__(self) -> None:
        self._unnamed: list[_Unnamed] = []
        self._waiting: deque[RenderTask] = deque()
        self._left: dict[PoolTask, int] = {}
        self._wall_s: dict[PoolTask, float] = {}

    @property
    def is_empty(self) -> bool:
        return not self._unnamed and not self._waiting

    @property
    def videos(self) -> list[PoolTask]:
        """Those that wait for something."""
        return list(dict.fromkeys([*(one.video for one in self._unnamed), *(task.video for task in self._waiting)]))

    @property
    def ready(self) -> int:
        """How many videos wait for nothing but a worker."""
        return len({task.video for task in self._waiting})

    def add(self, video: PoolTask, analysed: Analysed, names: Future[VideoNames]) -> None:
        """`video` is analysed; `names` of its people will come."""
        self._unnamed.append(_Unnamed(video, analysed, names))

    def take_named(self) -> list[tuple[PoolTask, Exception]]:
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
            self._left[one.video] = len(shares)
            works = [replace(rest, share=number) for number in shares] or [rest]
            self._waiting.extend(RenderTask(one.video, work) for work in works)
        return failed

    def next(self) -> RenderTask | None:
        """Take the task to be begun next."""
        return self._waiting.popleft() if self._waiting else None

    def put_first(self, task: RenderTask) -> None:
        """Begin `task`, which a worker has given back, next."""
        self._waiting.appendleft(task)

    def share_made(self, task: RenderTask, wall_s: float) -> None:
        """A share is made, in `wall_s` seconds; after the last one of a video the rest is to be begun."""
        video = task.video
        self._left[video] -= 1
        self._wall_s[video] = self._wall_s.get(video, 0.0) + wall_s
        if not self._left[video]:
            # First: it takes little time, and then the video is done.
            self._waiting.appendleft(RenderTask(video, replace(task.work, share=None)))

    def leave(self, video: PoolTask) -> float:
        """The video is done or has failed: forget it. Returns how long its shares took together, seconds."""
        self._waiting = deque(task for task in self._waiting if task.video is not video)
        self._left.pop(video, None)
        return self._wall_s.pop(video, 0.0)
