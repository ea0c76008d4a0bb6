"""The threads of a batch end together."""

from __future__ import annotations

import threading
import time

from processors.workers.worker_threads import WorkerThreads


def test_a_bug_in_one_thread_stops_the_others_and_is_kept() -> None:
    stop = threading.Event()
    threads = WorkerThreads(stop)
    bug = RuntimeError("a bug")

    def broken() -> None:
        raise bug

    def waits() -> None:
        stop.wait(20)

    threads.add("waits", waits)
    threads.add("broken", broken)
    threads.start()
    threads.join(20)
    assert threads.bug is bug
    assert not threads.alive


def test_joining_has_a_time_limit_for_all_threads_together() -> None:
    stop = threading.Event()
    threads = WorkerThreads(stop)

    def waits() -> None:
        stop.wait(20)

    for name in "ab":
        threads.add(name, waits)
    threads.start()
    started = time.monotonic()
    threads.join(0.3)
    assert threads.alive
    assert time.monotonic() - started < 0.6, "the limit must not apply to each thread"
    stop.set()
    threads.join(20)
    assert not threads.alive
