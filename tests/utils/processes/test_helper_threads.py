"""Helper threads belong to whoever starts them."""

from __future__ import annotations

import contextvars
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from utils.console.json_log import JsonFormatter, log_context
from utils.processes.helper_threads import helper_thread, map_ordered, submit
from utils.processes.prefetch import prefetch

WORD = contextvars.ContextVar("WORD", default="")


def test_a_helper_knows_the_context_of_its_maker_and_keeps_its_own_changes() -> None:
    seen = []

    def work(more: str) -> None:
        seen.append(WORD.get() + more)
        WORD.set("changed")

    WORD.set("maker's")
    threads = [helper_thread(work, "!", name=f"helper {i}") for i in range(2)]
    WORD.set("later")
    assert not any(thread.is_alive() for thread in threads)
    for thread in threads:
        assert thread.daemon
        thread.start()
        thread.join()
    assert seen == ["maker's!"] * 2
    assert WORD.get() == "later"


def test_a_pool_knows_the_context_of_whoever_asks_it() -> None:
    with ThreadPoolExecutor(1) as pool:
        WORD.set("first")
        first = submit(pool, WORD.get)
        WORD.set("second")
        second = submit(pool, lambda more: WORD.get() + more, "!")
        assert (first.result(), second.result()) == ("first", "second!")


def test_each_gives_results_in_order_and_begins_no_more_than_it_has_threads_for() -> None:
    begun = []
    both = threading.Barrier(2)

    def work(number: int) -> str:
        begun.append(number)
        if number < 2:
            both.wait(10)  # only two at a time get through
        return f"{WORD.get()}{number}"

    WORD.set("n")
    results = map_ordered(work, range(100), 2, "test")
    assert [next(results) for _ in range(3)] == ["n0", "n1", "n2"]
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 5


def test_each_raises_in_its_place() -> None:
    results = map_ordered(lambda number: 1 // number, [1, 0, 1], 2, "test")
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


class Lines(logging.Handler):
    """Every record with its thread, formatted where it is logged as a log file does it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((threading.current_thread().name, self.format(record)))


def test_what_a_source_logs_is_about_the_video_it_is_read_for() -> None:
    log = logging.getLogger("some.source")
    log.setLevel(logging.WARNING)  # runs of the program in other tests change what is passed on
    log.propagate = False
    lines = Lines()
    log.addHandler(lines)

    def source() -> object:
        log.warning("a damaged piece")
        yield 1

    with log_context("film", "analyse"), prefetch(source(), 2) as items:  # type: ignore[arg-type,var-annotated]
        assert list(items) == [1]
    log.removeHandler(lines)
    ((thread, line),) = lines.lines
    assert thread == "prefetch"
    assert '"video": "film", "stage": "analyse"' in line
