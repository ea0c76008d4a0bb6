"""Where the workers of a pool come from: processes of this machine, or nodes of a cluster."""

from __future__ import annotations

import queue
from concurrent.futures import Future
from enum import Enum
from typing import Any, Protocol

from processors.workers.render_work import Work
from processors.workers.worker_process import Asked

JOBS_PER_WORKER = 16
"""A worker process is replaced after this many jobs, which bounds what libraries leak. A new one costs about three
seconds of CPU time."""


class WorkerKind(Enum):
    """What a worker is for. The kinds are in the order in which they get work: first what brings a video to its end.

    CLIPS: one `RenderWork`, without models. VIDEOS: one `VideoJob` after another; where there are no workers for clips
    it makes these, too.
    """

    CLIPS = "clips"
    VIDEOS = "videos"


class Worker(Protocol):
    """The driver's end of one worker. All methods are for the thread that started it.

    is_started: it has said that it is ready for its first job. place: the machine that it is on.
    """

    is_started: bool

    @property
    def place(self) -> str: ...

    @property
    def is_wanted(self) -> bool:
        """Whether it may get another job."""
        ...

    @property
    def silent_s(self) -> float:
        """How long it has said nothing, seconds; 0 while it waits for an answer."""
        ...

    def give(self, work: Work) -> None:
        """Have it do `work`; it has to be idle."""
        ...

    def heard(self) -> None:
        """It has said something."""
        ...

    def expect_answer(self, asked: Asked, answer: Future[Any]) -> None:
        """Send `answer` to its question when that is known, from whatever thread."""
        ...

    def stop(self) -> None:
        """Ask it to end its job."""
        ...

    def kill(self) -> None:
        """End it at once, with whatever it does."""
        ...

    def cause_of_death(self) -> str:
        """Why a worker that is gone has ended."""
        ...


Inbox = queue.SimpleQueue[tuple[Worker, Any]]
"""receives what workers say, with the worker; None instead when it is gone"""


class WorkerSource(Protocol):
    """Used by one thread, which lives as long as the workers; `count` by any."""

    def count(self, kind: WorkerKind) -> int:
        """How many workers of `kind` there may be at a time. It may fall; what it is before `open` is a guess."""
        ...

    def open(self) -> None:
        """Prepare, before the first worker is started. It may take a while, and what it raises ends the run."""
        ...

    def start(self, kind: WorkerKind, inbox: Inbox) -> Worker:
        """A new worker; there are fewer than `count` of its kind.

        Raises:
            OSError: it cannot be started.
        """
        ...

    def drop(self, key: str) -> None:
        """Nobody needs the analysis `key` any more."""
        ...

    def end(self, worker: Worker) -> None:
        """End `worker`, if it has not ended itself, and make room for another."""
        ...

    def is_to_blame(self, worker: Worker) -> bool:
        """Whether it is the fault of `worker`, not of its job, that it has ended; the counts may fall."""
        ...

    def avoid(self, place: str, trouble: str) -> bool:
        """Start no more workers in `place`, and want those there no more; False if there is no other place."""
        ...

    def close(self) -> None:
        """Let go of everything; all workers have ended."""
        ...
