"""Whoever does something ahead is neither kept waiting nor told of errors."""

from __future__ import annotations

import threading

from utils.work_ahead import do_ahead


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
