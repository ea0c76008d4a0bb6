"""A thread whose result, or failure, is a future."""

from __future__ import annotations

import threading

import pytest

from utils.future_threads import FutureThread


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
