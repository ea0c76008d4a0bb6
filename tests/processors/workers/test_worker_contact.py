"""A worker is silent from its last message on, but not while it waits for an answer."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from core.errors import OutputError
from processors.workers.worker_contact import WorkerContact
from processors.workers.worker_process import Answered, Asked


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Contact(WorkerContact):
    """Keeps the answers that a worker would get."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.sent: list[Answered] = []

    def _send_answer(self, message: Answered) -> None:
        self.sent.append(message)


def asked(number: int) -> Asked:
    question: Any = object()
    return Asked(number, question)


def test_silence_begins_with_the_last_message() -> None:
    clock = Clock()
    contact = Contact(clock)
    clock.now += 5
    assert contact.silent_s == 5
    contact.heard()
    assert contact.silent_s == 0
    clock.now += 2
    assert contact.silent_s == 2


def test_who_waits_for_an_answer_is_not_silent() -> None:
    clock = Clock()
    contact = Contact(clock)
    first, second = Future[Any](), Future[Any]()
    contact.expect_answer(asked(1), first)
    contact.expect_answer(asked(2), second)
    clock.now += 60
    assert contact.silent_s == 0
    first.set_result("yes")
    clock.now += 60
    assert contact.silent_s == 0, "the second question is open"
    second.set_exception(OutputError("the disk is full"))
    clock.now += 3
    assert contact.silent_s == 3, "counted from the answer, not from the question"
    yes, failure = contact.sent
    assert (yes.number, yes.answer, yes.error) == (1, "yes", None)
    assert failure.number == 2 and isinstance(failure.error, OutputError)
