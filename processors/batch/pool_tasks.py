"""The jobs of a pool of workers, and which of them is begun next."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from processors.batch.executor import JobOutcome, VideoJob
from processors.batch.job_host import SetAside
from processors.batch.render_work import Analysed
from utils.fingerprints import Fingerprint


@dataclass(slots=True, eq=False)
class PoolTask:
    """A submitted job.

    losses: how many workers broke while they worked on it. before: what the first worker that ended it has done.
    """

    job: VideoJob
    future: Future[JobOutcome] = field(default_factory=Future)
    losses: int = 0
    before: SetAside | Analysed | None = None

    @property
    def video(self) -> PoolTask:
        return self

    @property
    def work(self) -> VideoJob:
        return self.job

    def end(self, outcome: JobOutcome, shares_s: float = 0.0) -> None:
        """The job has ended; what earlier workers did for it is counted. shares_s: time that its shares took."""
        result = outcome.result
        if self.before is not None and result is not None and result.status == "done":
            # The analysis was made in this run, by whoever had the job first.
            wall_s = result.wall_s + self.before.analyse_s + shares_s
            result = dataclasses.replace(result, wall_s=wall_s, analysis_cached=self.before.analysis_cached)
            outcome = dataclasses.replace(outcome, result=result)
        self.future.set_result(outcome)


class TaskQueue:
    """What waits for a worker: tasks in the order of submission, and those that were set aside. Not thread-safe."""

    def __init__(self, is_turn: Callable[[Fingerprint], bool]) -> None:
        """is_turn: whether the people of a video may be named now."""
        self._is_turn = is_turn
        self._waiting: deque[PoolTask] = deque()
        self._aside: list[PoolTask] = []

    def __len__(self) -> int:
        """How many could be begun now, for all that is known."""
        return len(self._waiting)

    @property
    def is_empty(self) -> bool:
        return not self._waiting and not self._aside

    @property
    def begun(self) -> list[PoolTask]:
        """Those that some worker has begun."""
        return [*self._aside, *(task for task in self._waiting if task.losses)]

    def add(self, task: PoolTask) -> None:
        """Begin `task` after all others."""
        self._waiting.append(task)

    def put_first(self, task: PoolTask) -> None:
        """Begin `task`, which a worker has given back, next."""
        self._waiting.appendleft(task)

    def set_aside(self, task: PoolTask) -> None:
        """Begin `task` when the people of its video may be named."""
        self._aside.append(task)

    def next(self) -> PoolTask | None:
        """Take the task to be begun next: of those set aside one whose turn has come."""
        for task in self._aside:
            if self._is_turn(task.job.fingerprint):
                self._aside.remove(task)
                return task
        return self._waiting.popleft() if self._waiting else None
