"""A worker on a node of a cluster: a `JobHost`, and a mailbox that the driver polls over the network.

The driver asks and the worker answers, so a worker needs no address of the driver. Small messages are collected for
half a second; a question or the end of a job is handed over at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from core.errors import InterruptedRunError
from core.thread_budget import limit_process_threads
from processors.batch.executor import JobOutcome
from processors.cluster.node_check import free_space_problems
from processors.workers.job_link import HostSetup, JobEvent, Question
from processors.workers.render_work import Work
from processors.workers.worker_process import Answered, Asked, Ended, MakeHost, Started, real_host

COLLECT_S = 0.5
"""how long messages are collected: eight hundred workers then make less than two thousand calls a second"""
SILENCE_S = 2.0
"""how long `fetch` waits before it answers with nothing"""
_POLL_S = 0.1

WorkerMessage = JobEvent | Asked | Started | Ended


def ends_job(messages: Iterable[WorkerMessage]) -> bool:
    """Whether a job has ended with these messages, so that a worker with one job sends no more."""
    return any(isinstance(message, Ended) for message in messages)


class ClusterWorker:
    """Its methods are called by the driver, each on any thread; `carry_out` for one job at a time.

    Attributes:
        mailbox: messages for the driver; the `JobLink` of the worker's host.
    """

    def __init__(self, setup: HostSetup, make_host: MakeHost = real_host) -> None:
        self._setup = setup
        self.mailbox = Mailbox()
        self._host = make_host(setup, self.mailbox)
        self.mailbox.put(Started())

    def forward_log(self) -> None:
        """Send all log messages of this process to the driver from now on."""
        self._host.forward_log()

    def carry_out(self, work: Work) -> None:
        """Do `work`; its outcome follows in the mailbox after all other messages about it."""
        outcome = self._host.carry_out(work)
        trouble = ""
        if isinstance(outcome, JobOutcome) and outcome.result is not None and outcome.result.status == "failed":
            # Else a node with a full disk would fail one video after another, faster than others can make them.
            trouble = next(iter(free_space_problems(self._setup.settings, self._setup.output_dir)), "")
        self.mailbox.put(Ended(outcome, trouble))

    def fetch(self) -> tuple[WorkerMessage, ...]:
        """The messages so far; an empty tuple if there are none for a while."""
        return self.mailbox.fetch()

    def answer(self, answered: Answered) -> None:
        """Take the answer to a question that was fetched."""
        self.mailbox.take(answered)

    def stop(self) -> None:
        """The run ends: end the job in order."""
        self.mailbox.stop.set()


class ClusterProcess(ClusterWorker):
    """One that has its process to itself."""

    def __init__(self, setup: HostSetup, make_host: MakeHost) -> None:
        limit_process_threads()
        super().__init__(setup, make_host)
        self.forward_log()


class Mailbox:
    """A `JobLink` whose messages are fetched."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._changed = threading.Condition()
        self._messages: list[WorkerMessage] = []
        self._answers: dict[int, Answered] = {}
        self._asked = 0

    def put(self, message: WorkerMessage) -> None:
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()

    def send(self, event: JobEvent) -> None:
        self.put(event)

    def ask(self, question: Question) -> Any:
        with self._changed:
            self._asked += 1
            number = self._asked
            self._messages.append(Asked(number, question))
            self._changed.notify_all()
            while number not in self._answers:
                if self.stop.is_set():
                    raise InterruptedRunError("stopped")
                self._changed.wait(_POLL_S)
            answered = self._answers.pop(number)
        if answered.error is not None:
            raise answered.error
        return answered.answer

    def take(self, answered: Answered) -> None:
        with self._changed:
            self._answers[answered.number] = answered
            self._changed.notify_all()

    def fetch(self) -> tuple[WorkerMessage, ...]:
        begun = time.monotonic()
        with self._changed:
            while (left_s := self._hand_over_at(begun) - time.monotonic()) > 0:
                # In steps: the main thread of a task has to notice that it is cancelled.
                self._changed.wait(min(left_s, _POLL_S))
            messages, self._messages = tuple(self._messages), []
        return messages

    def _hand_over_at(self, begun: float) -> float:
        if any(isinstance(message, (Asked, Started, Ended)) for message in self._messages):
            return begun
        return begun + (COLLECT_S if self._messages else SILENCE_S)
