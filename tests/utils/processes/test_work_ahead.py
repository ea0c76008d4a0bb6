"""Whoever does something ahead is neither kept waiting nor told of errors."""

from __future__ import annotations

import threading

import pytest

from utils.processes.work_ahead import MadeOnce, do_ahead, make_ahead


def test_it_is_done_by_another_thread_meanwhile() -> None:
    go_on, done = threading.Event(), threading.Event()
    names: list[str] = []

    def work() -> None:
        assert go_on.wait(10)
        names.append(threading.current_thread().name)
        done.set()

    do_ahead(work, name="ahead")
    go_on.set()
    assert done.wait(10) and names == ["ahead"]


def test_it_may_fail() -> None:
    threads: list[threading.Thread] = []
    begun = threading.Event()

    def work() -> None:
        threads.append(threading.current_thread())
        begun.set()
        raise OSError("said where the result is needed")

    do_ahead(work, name="ahead")
    assert begun.wait(10)
    threads[0].join(10)  # pytest fails this test if an error leaves the thread
    assert not threads[0].is_alive()


def test_a_value_is_made_once_by_whoever_needs_it_first() -> None:
    made: list[str] = []

    def make() -> str:
        made.append(threading.current_thread().name)
        return "value"

    value = MadeOnce(make)
    assert value.get() == "value"
    make_ahead(value, name="late")
    assert value.get() == "value"
    assert made == [threading.current_thread().name]


def test_values_are_made_in_order_while_nobody_needs_them() -> None:
    made: list[str] = []
    done = threading.Event()
    make_ahead(MadeOnce(lambda: made.append("first")), MadeOnce(lambda: made.append("second")), name="ahead")
    make_ahead(MadeOnce(done.set), name="ahead")
    assert done.wait(10) and made == ["first", "second"]


def test_one_that_is_needed_now_does_not_wait_for_those_before_it() -> None:
    go_on, begun = threading.Event(), threading.Event()

    def make_slowly() -> bool:
        begun.set()
        return go_on.wait(10)

    slow, quick = MadeOnce(make_slowly), MadeOnce(lambda: "quick")
    make_ahead(slow, quick, name="ahead")
    assert begun.wait(10)
    assert quick.get() == "quick"
    go_on.set()
    assert slow.get(), "whoever needs it meanwhile waits for the thread that makes it"


def test_what_cannot_be_made_is_told_to_whoever_needs_it() -> None:
    attempts: list[int] = []

    def fail() -> None:
        attempts.append(1)
        raise OSError("no such file")

    value = MadeOnce(fail)
    for _ in range(2):
        with pytest.raises(OSError, match="no such file"):
            value.get()
    assert len(attempts) == 2
