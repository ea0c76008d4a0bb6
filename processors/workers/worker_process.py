"""The body of a worker process of the pool: jobs come and events go over one pipe, whose other end is a `PoolWorker`.

Little is imported before `work` has set the limits of the process.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from core.errors import InterruptedRunError, PipelineError
from core.thread_budget import limit_process_threads
from utils.processes.child_processes import DIED_WITH_PARENT, die_with_parent

if TYPE_CHECKING:
    from processors.workers.job_host import JobHost, WorkOutcome
    from processors.workers.job_link import HostSetup, JobEvent, JobLink, Question
    from processors.workers.render_work import Work

MakeHost = Callable[["HostSetup", "JobLink"], "JobHost"]
"""called in the worker; sent there by its name"""

_POLL_S = 0.1

PROGRAM_TEXT = """\
import sys
from multiprocessing.connection import Connection
pipe = Connection(int(sys.argv[1]))
sys.path[:] = pipe.recv()
from processors.workers.worker_process import work
work(pipe)
"""
"""run with `python -c`; the argument is the descriptor of the pipe"""


@dataclass(frozen=True, slots=True)
class Start:
    """The first message to a worker. driver: process id."""

    driver: int
    setup: HostSetup
    make_host: MakeHost


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: end the job in progress as soon as possible."""


@dataclass(frozen=True, slots=True)
class Asked:
    """From a worker: a question, which blocks one of its threads until it is `Answered` under the same number."""

    number: int
    question: Question


@dataclass(frozen=True, slots=True)
class Answered:
    """To a worker. error: raised there instead of an answer."""

    number: int
    answer: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """From a worker: it is ready for its first job."""


@dataclass(frozen=True, slots=True)
class Ended:
    """From a worker: its job has ended, and it is ready for another one.

    trouble: why no other job should be given to any worker in its place, or "".
    """

    outcome: WorkOutcome
    trouble: str = ""


def answered(number: int, answer: Future[Any]) -> Answered:
    """The message with `answer`, which is known, to the question `number`."""
    error = answer.exception()
    return Answered(number, answer.result()) if error is None else Answered(number, error=sendable(error))


def sendable(error: BaseException) -> Exception:
    """`error`, or if it does not survive the way to another process, one that says the same."""
    try:
        arrived = pickle.loads(pickle.dumps(error))
    except Exception:
        arrived = None
    return arrived if isinstance(arrived, Exception) else PipelineError(str(error))


def real_host(setup: HostSetup, link: JobLink) -> JobHost:
    """The host of a worker that works on real videos."""
    from processors.workers.job_host import JobHost

    return JobHost(setup, link)


def work(pipe: Connection) -> None:
    """Carry out jobs until the driver ends this process or is gone itself."""
    limit_process_threads()
    # Signals reach all processes of a terminal or a service; the driver decides when this one ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    start: Start = pipe.recv()
    die_with_parent(start.driver)
    link = PipeLink(pipe)
    host = start.make_host(start.setup, link)
    host.forward_log()
    link.post(Started())
    while True:
        link.post(Ended(host.carry_out(link.next_job())))


class PipeLink:
    """A `JobLink` over a pipe."""

    def __init__(self, pipe: Connection) -> None:
        self.stop = threading.Event()
        self._pipe = pipe
        self._sending = threading.Lock()
        self._jobs: queue.Queue[Work] = queue.Queue()
        self._numbers = itertools.count()
        self._answers: dict[int, Future[Any]] = {}
        threading.Thread(target=self._listen, name="driver", daemon=True).start()

    def next_job(self) -> Work:
        """Wait for a job."""
        return self._jobs.get()

    def send(self, event: JobEvent) -> None:
        """See `JobLink.send`."""
        self.post(event)

    def ask(self, question: Question) -> Any:
        """See `JobLink.ask`."""
        number, answer = next(self._numbers), Future[Any]()
        self._answers[number] = answer
        self.post(Asked(number, question))
        while not self.stop.is_set():
            if wait([answer], _POLL_S).done:
                return answer.result()
        raise InterruptedRunError("stopped")

    def post(self, message: JobEvent | Asked | Started | Ended) -> None:
        """Send `message` to the driver."""
        # If that is gone, this process is about to end.
        with self._sending, contextlib.suppress(OSError):
            self._pipe.send(message)

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                message = self._pipe.recv()
                if isinstance(message, Stop):
                    self.stop.set()
                elif isinstance(message, Answered):
                    self._take_answer(message)
                else:
                    self._jobs.put(message)
        os._exit(DIED_WITH_PARENT)

    def _take_answer(self, message: Answered) -> None:
        answer = self._answers.pop(message.number)
        if message.error is None:
            answer.set_result(message.answer)
        else:
            answer.set_exception(message.error)
