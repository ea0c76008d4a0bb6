"""The simulation of many nodes, where the answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.speed.fleet import (
    CPU_NODE,
    READ_MB_PER_MIN,
    WRITE_MB_PER_MIN,
    Node,
    lengths_min,
    simulate,
)
from core.lease import STALE_AFTER_S

ONE_CALL = Node("one", cpu_s_per_min=60.0, price=1.0, cores=2)
"""30 s per minute of video, 5 MB/s"""


def test_without_failures_and_with_a_fast_disk_it_is_the_work() -> None:
    found = simulate([1, 2, 3], ONE_CALL, 1, 10.0, hours_between_failures=math.inf)
    assert found.makespan_s == pytest.approx(6 * 30)
    assert (found.finished, found.repeated) == (3, 0)
    assert found.busy == pytest.approx(1.0)
    assert found.speed == pytest.approx(2.0)


def test_the_last_long_video_is_waited_for() -> None:
    by_name = simulate([1, 1, 1, 1, 10], ONE_CALL, 2, 10.0, hours_between_failures=math.inf)
    longest_first = simulate([10, 1, 1, 1, 1], ONE_CALL, 2, 10.0, hours_between_failures=math.inf)
    assert by_name.makespan_s == pytest.approx(12 * 30)
    assert longest_first.makespan_s == pytest.approx(10 * 30)
    assert by_name.busy == pytest.approx(14 / 24)


def test_the_shared_disk_is_the_limit_for_many() -> None:
    minutes, disk_gb_s = np.full(4000, 5.0), 1.0
    found = simulate(minutes, ONE_CALL, 1000, disk_gb_s, hours_between_failures=math.inf)
    moved_gb = minutes.sum() * (READ_MB_PER_MIN + WRITE_MB_PER_MIN) / 1000
    assert found.makespan_s == pytest.approx(moved_gb / disk_gb_s)


def test_a_video_of_a_dead_node_is_done_by_another_when_its_lease_is_stale() -> None:
    calm = simulate([30.0], ONE_CALL, 1, 10.0, hours_between_failures=math.inf)
    for seed in range(40):
        found = simulate([30.0], ONE_CALL, 2, 10.0, hours_between_failures=0.3, seed=seed)
        assert found.finished == 1
        if found.repeated == 1:
            assert found.makespan_s >= calm.makespan_s + STALE_AFTER_S
            break
    else:
        raise AssertionError("no failure met the video")


def test_nothing_is_lost_and_the_same_seed_gives_the_same() -> None:
    minutes = lengths_min(500)
    found = simulate(minutes, CPU_NODE, 10, 1.0, hours_between_failures=1.0)
    assert found.finished == 500
    assert found.repeated > 0
    assert simulate(minutes, CPU_NODE, 10, 1.0, hours_between_failures=1.0) == found
    assert 0 < found.busy <= 1


def test_lengths_are_as_described() -> None:
    minutes = lengths_min()
    assert np.median(minutes) == pytest.approx(10, rel=0.05)
    assert np.mean(minutes) == pytest.approx(20, rel=0.05)
    assert minutes.max() == 240
