"""What workers on this machine and on nodes have in common: how long they were silent, and answers to questions."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from processors.workers.worker_process import Answered, Asked, answered


class WorkerContact(ABC):
    """The part of a `Worker` that does not depend on how messages reach it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds from any origin."""
        self._clock = clock
        self._heard_at = clock()
        self._open_questions: set[int] = set()

    @property
    def silent_s(self) -> float:
        """See `Worker.silent_s`."""
        return 0.0 if self._open_questions else self._clock() - self._heard_at

    def heard(self) -> None:
        """See `Worker.heard`."""
        self._heard_at = self._clock()

    def expect_answer(self, asked: Asked, answer: Future[Any]) -> None:
        """See `Worker.expect_answer`."""
        self._open_questions.add(asked.number)
        answer.add_done_callback(lambda future: self._answer(asked.number, future))

    @abstractmethod
    def _send_answer(self, message: Answered) -> None:
        """Send `message`, from any thread; a worker that is gone gets nothing."""

    def _answer(self, number: int, answer: Future[Any]) -> None:
        self._send_answer(answered(number, answer))
        # In this order: it must not count as silent for as long as its question was open.
        self.heard()
        self._open_questions.discard(number)
