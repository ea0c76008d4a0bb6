"""Times of stages: own time only, all threads, nothing while switched off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from utils.processes import stage_times
from utils.processes.stage_times import StageClock, StageTime, timed


@pytest.fixture
def clock() -> Iterator[StageClock]:
    yield stage_times.switch_on()
    stage_times.switch_off()


class Clocks:
    """Stands in for the module `time`: it stops whenever nobody sleeps or works."""

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0

    def perf_counter(self) -> float:
        return self.wall_s

    def thread_time(self) -> float:
        return self.cpu_s

    def time(self) -> float:
        return 1e9 + self.wall_s

    def sleep(self, seconds: float) -> None:
        self.wall_s += seconds

    def work(self, seconds: float) -> None:
        self.wall_s += seconds
        self.cpu_s += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(stage_times, "time", clocks)
    return clocks


def test_a_stage_has_its_calls_and_its_time(clock: StageClock, clocks: Clocks) -> None:
    clocks.sleep(5)
    for _ in range(3):
        with timed("decode"):
            clocks.sleep(2)
    with timed("track"):
        clocks.work(4)
    report = clock.report()
    assert report == {"decode": StageTime(3, 6.0, 0.0), "track": StageTime(1, 4.0, 4.0)}
    assert clock.begun == 1e9 + 5


def test_what_a_stage_inside_takes_counts_for_that_one_alone(clock: StageClock, clocks: Clocks) -> None:
    with timed("outer"):
        clocks.work(2)
        with timed("inner"):
            clocks.work(20)
        with timed("inner"):
            clocks.sleep(10)
    assert clock.report() == {"outer": StageTime(1, 2.0, 2.0), "inner": StageTime(2, 30.0, 20.0)}


def test_a_stage_within_itself_is_not_counted_twice(clock: StageClock, clocks: Clocks) -> None:
    with timed("same"), timed("same"):
        clocks.work(1)
    assert clock.report()["same"] == StageTime(2, 1.0, 1.0)


def test_the_real_clocks_are_those_of_wall_and_thread(clock: StageClock) -> None:
    with timed("sleep"):
        time.sleep(0.05)
    with timed("work"):
        until = time.thread_time() + 0.05
        while time.thread_time() < until:
            pass
    report = clock.report()
    assert report["sleep"].wall_s >= 0.05 > report["sleep"].cpu_s
    assert report["work"].cpu_s >= 0.05


def test_threads_add_up_and_do_not_mix(clock: StageClock) -> None:
    def work() -> None:
        with timed("embed"):
            time.sleep(0.05)

    with timed("wait"):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    report = clock.report()
    assert report["embed"].calls == 4 and report["embed"].wall_s >= 0.2
    assert report["wait"].wall_s >= 0.05, "another thread's stage is not inside this one"


def test_functions_keep_their_results_and_errors(clock: StageClock) -> None:
    @timed("plan")
    def half(number: int) -> int:
        if number % 2:
            raise ValueError("odd")
        return number // 2

    assert half(4) == 2
    with pytest.raises(ValueError, match="odd"):
        half(3)
    assert clock.report()["plan"].calls == 2


def test_nothing_is_measured_while_off_and_a_new_clock_starts_at_zero() -> None:
    stage_times.switch_off()
    with timed("decode"):
        first = stage_times.switch_on()
    assert first.report() == {} and first.begun is None
    with timed("decode"):
        pass
    second = stage_times.switch_on()
    assert second.report() == {}
    stage_times.switch_off()
    with timed("decode"):
        pass
    assert first.report()["decode"].calls == 1 and second.report() == {}
