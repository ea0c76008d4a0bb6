"""A thread whose result, or failure, is a future."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from utils.processes.future_threads import FutureThread


def test_the_result_arrives_in_the_future() -> None:
    seen: list[threading.Thread] = []

    def work() -> int:
        seen.append(threading.current_thread())
        return 7

    thread = FutureThread(work, name="seven")
    assert not thread.future.done()
    thread.start()
    assert thread.future.result(5) == 7
    thread.join()
    assert seen[0].name == "seven" and seen[0].daemon and not seen[0].is_alive()


def test_a_failure_is_raised_where_the_result_is_asked_for() -> None:
    thread = FutureThread(lambda: list[int]()[0], name="failing")
    thread.start()
    with pytest.raises(IndexError):
        thread.future.result(5)
    thread.join()


def test_a_thread_that_was_never_started_need_not_be_waited_for() -> None:
    FutureThread(lambda: None, name="idle").join()


class Owner:
    """Runs a method of its own on a thread, as a clip does."""

    def __init__(self) -> None:
        self.thread = FutureThread(self.work, name="owner")

    def work(self) -> None:
        pass


def test_an_owner_is_free_when_its_thread_has_ended_and_nobody_holds_it() -> None:
    gc.disable()
    try:
        owner = Owner()
        owner.thread.start()
        owner.thread.join()
        kept = weakref.ref(owner)
        del owner
        assert kept() is None
    finally:
        gc.enable()
