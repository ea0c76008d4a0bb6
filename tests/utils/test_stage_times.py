"""Times of stages: own time only, all threads, nothing while switched off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from utils import stage_times
from utils.stage_times import StageClock, timed


@pytest.fixture
def clock() -> Iterator[StageClock]:
    yield stage_times.switch_on()
    stage_times.switch_off()


def busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_a_stage_has_its_calls_and_its_time(clock: StageClock) -> None:
    for _ in range(3):
        with timed("decode"):
            time.sleep(0.02)
    with timed("track"):
        busy(0.05)
    report = clock.report()
    assert report["decode"].calls == 3 and report["decode"].wall_s >= 0.06
    assert report["decode"].cpu_s < 0.03, "sleeping is no work"
    assert report["track"].cpu_s >= 0.03
    assert clock.begun is not None and 0 < time.time() - clock.begun < 60


def test_what_a_stage_inside_takes_counts_for_that_one_alone(clock: StageClock) -> None:
    with timed("outer"):
        time.sleep(0.02)
        with timed("inner"):
            time.sleep(0.2)
        with timed("inner"):
            time.sleep(0.1)
    report = clock.report()
    assert 0.02 <= report["outer"].wall_s < 0.15
    assert report["inner"].calls == 2 and report["inner"].wall_s >= 0.3


def test_a_stage_within_itself_is_not_counted_twice(clock: StageClock) -> None:
    with timed("same"), timed("same"):
        time.sleep(0.1)
    assert 0.1 <= clock.report()["same"].wall_s < 0.19


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
