"""The workers of a pool: which task each of them has, who is idle, and who hangs."""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from processors.workers.pool_tasks import PoolTask, PoolVideo
from processors.workers.worker_source import Inbox, Worker, WorkerKind, WorkerSource

_START_LIMIT_S = 120.0
"""for the start of a process, however short the limit for stages is; it takes a second or two, on a busy disk longer"""
_START_PAUSE_S = 60.0
"""after a failure to start a process: by then another program may have ended"""
_SUSPENSION_S = 10.0
"""a longer time between two looks means that this process was suspended, and its workers with it"""


@dataclass(slots=True, eq=False)
class _Place:
    kind: WorkerKind
    task: PoolTask | None = None


class WorkerRoster:
    """Not thread-safe.

    Attributes:
        inbox: receives what the workers say.
    """

    def __init__(self, source: WorkerSource, stall_limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """stall_limit_s: a worker without progress for so long is taken to hang. clock: seconds from any origin."""
        self.inbox: Inbox = queue.SimpleQueue()
        self._source = source
        self._stall_limit_s = stall_limit_s
        self._clock = clock
        self._places: dict[Worker, _Place] = {}
        self._no_start_before = -math.inf
        self._looked = clock()

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Worker]:
        return iter(list(self._places))

    def __contains__(self, worker: Worker) -> bool:
        return worker in self._places

    def task_of(self, worker: Worker) -> PoolTask | None:
        """What `worker` works on; None if it is idle."""
        return self._places[worker].task

    @property
    def tasks(self) -> list[PoolTask]:
        """What is worked on."""
        return [place.task for place in self._places.values() if place.task is not None]

    def busy(self, kind: WorkerKind) -> int:
        """How many workers of `kind` are at work."""
        return sum(place.kind is kind and place.task is not None for place in self._places.values())

    def at_work_on(self, video: PoolVideo) -> list[Worker]:
        """The workers that have tasks of `video`."""
        return [w for w, place in self._places.items() if place.task is not None and place.task.video is video]

    def idle(self, kind: WorkerKind) -> Worker | None:
        """A worker of `kind` that does nothing: a new one, if there is none; None for a while after `pause_starts`.

        Raises:
            OSError: no worker can be started.
        """
        for worker, place in self._places.items():
            if place.kind is kind and place.task is None:
                return worker
        if self._clock() < self._no_start_before:
            return None
        worker = self._source.start(kind, self.inbox)
        self._places[worker] = _Place(kind)
        return worker

    def pause_starts(self) -> None:
        """There is no room for another worker: start none for a while."""
        self._no_start_before = self._clock() + _START_PAUSE_S

    def give(self, worker: Worker, task: PoolTask) -> None:
        """Have an idle `worker` do `task`."""
        self._places[worker].task = task
        worker.give(task.work)

    def take_back(self, worker: Worker) -> None:
        """`worker` has ended its task."""
        self._places[worker].task = None

    def unwanted(self) -> list[Worker]:
        """Idle workers that get no other task."""
        return [w for w, place in self._places.items() if place.task is None and not w.is_wanted]

    def remove(self, worker: Worker) -> None:
        """`worker` is no longer one of them."""
        del self._places[worker]

    def hanging(self) -> list[tuple[Worker, float]]:
        """The workers that have made no progress for longer than they may, with that time in seconds.

        To be called all the time: after a suspension of this process nobody is blamed.
        """
        now = self._clock()
        if now - self._looked > _SUSPENSION_S:
            for worker in self._places:
                worker.heard()
        self._looked = now
        found = []
        for worker, place in self._places.items():
            limit_s = self._stall_limit_s if worker.is_started else max(self._stall_limit_s, _START_LIMIT_S)
            if place.task is not None and worker.silent_s > limit_s:
                found.append((worker, limit_s))
        return found
