import threading
import time
from collections.abc import Iterator

import pytest

from utils.processes.prefetch import prefetch


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Source:
    """0, 1, ... that remembers how far it was asked and on which thread it was closed."""

    def __init__(self, count: int, failure: Exception | None = None) -> None:
        self.produced = 0
        self.closed_on: str | None = None
        self.closed = threading.Event()
        self.count = count
        self.failure = failure

    def __iter__(self) -> Iterator[int]:
        try:
            for number in range(self.count):
                self.produced += 1
                yield number
            if self.failure:
                raise self.failure
        finally:
            self.closed_on = threading.current_thread().name
            self.closed.set()


def test_everything_comes_in_order() -> None:
    with prefetch(range(1000), 3) as items:
        assert list(items) == list(range(1000))


def test_the_source_runs_on_another_thread_and_only_so_far_ahead() -> None:
    source = Source(1000)
    with prefetch(source, 4) as items:
        assert next(items) == 0
        deadline = time.monotonic() + 5
        while source.produced < 6 and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.05)
        assert source.produced == 6  # one taken, four waiting, one in hand
    assert source.closed_on == "prefetch"


def test_an_exception_comes_after_the_items_before_it() -> None:
    seen = []
    with prefetch(Source(3, KeyError("broken")), 8) as items, pytest.raises(KeyError, match="broken"):
        for item in items:
            seen.append(item)
    assert seen == [0, 1, 2]


def test_a_source_that_cannot_even_start() -> None:
    with prefetch(5, 1) as items, pytest.raises(TypeError):  # type: ignore[arg-type, var-annotated]
        next(items)


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_leaving_early_closes_the_source(taken: int) -> None:
    source = Source(10_000)
    with prefetch(source, 2) as items:
        for _ in range(taken):
            next(items)
    assert source.closed_on == "prefetch"
    assert source.produced <= taken + 3


def test_an_exception_in_the_block_passes_and_ends_the_thread() -> None:
    source = Source(10_000)
    with pytest.raises(ZeroDivisionError), prefetch(source, 1) as items:
        next(items)
        raise ZeroDivisionError
    assert source.closed_on == "prefetch"


def test_stop_ends_the_iterator_even_while_the_source_is_slow() -> None:
    stop, release = threading.Event(), threading.Event()

    def slow() -> Iterator[int]:
        yield 0
        release.wait(10)
        yield 1

    with prefetch(slow(), 1, stop) as items:
        assert next(items) == 0
        threading.Timer(0.05, stop.set).start()
        began = time.monotonic()
        assert list(items) == []
        assert time.monotonic() - began < 2
        release.set()


def test_stop_ends_a_producer_that_waits_for_room() -> None:
    stop = threading.Event()
    source = Source(10_000)
    with prefetch(source, 1, stop) as items:
        next(items)
        stop.set()
        assert source.closed.wait(10) and source.closed_on == "prefetch"
        assert list(items) == []


def test_the_size_must_make_sense() -> None:
    with pytest.raises(ValueError, match="at least 1"), prefetch([], 0):
        pass
