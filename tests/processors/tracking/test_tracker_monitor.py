"""How often full detections come, and what that follows from."""

from __future__ import annotations

import pytest

from processors.tracking.tracker_monitor import WINDOW, TrackerMonitor


def monitor_after(outcomes: list[bool]) -> TrackerMonitor:
    monitor = TrackerMonitor()
    for outcome in outcomes:
        monitor.record(outcome)
    return monitor


@pytest.mark.parametrize(
    ("failures", "rate", "interval"),
    [(0, 1.0, 80), (1, 0.95, 80), (2, 0.9, 40), (4, 0.8, 40), (5, 0.75, 20), (8, 0.6, 20), (9, 0.55, 10), (20, 0, 10)],
)
def test_the_worse_following_works_the_sooner_comes_the_next_detection(
    failures: int, rate: float, interval: int
) -> None:
    monitor = monitor_after([False] * failures + [True] * (20 - failures))
    assert monitor.success_rate == pytest.approx(rate)
    assert monitor.interval == interval


def test_only_the_last_twenty_outcomes_count() -> None:
    assert WINDOW == 20
    assert monitor_after([False] * 50 + [True] * 20).success_rate == 1.0
    assert monitor_after([True] * 50 + [False] * 20).success_rate == 0.0


def test_the_order_within_the_window_does_not_matter() -> None:
    assert monitor_after([True] * 17 + [False] * 3).interval == monitor_after([False] * 3 + [True] * 17).interval


def test_without_an_outcome_the_interval_is_the_longest() -> None:
    assert TrackerMonitor().interval == 80


def test_a_few_outcomes_count_as_they_are() -> None:
    assert monitor_after([True, False]).interval == 10


def test_a_new_shot_forgets_the_old_one() -> None:
    monitor = monitor_after([False] * 20)
    monitor.reset()
    assert monitor.interval == 80
