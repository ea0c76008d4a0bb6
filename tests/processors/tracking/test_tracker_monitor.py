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
    ("failures", "rate", "interval_s"),
    [
        (0, 1.0, 3.2),
        (1, 0.95, 3.2),
        (2, 0.9, 1.6),
        (4, 0.8, 1.6),
        (5, 0.75, 0.8),
        (8, 0.6, 0.8),
        (9, 0.55, 0.4),
        (20, 0, 0.4),
    ],
)
def test_the_worse_following_works_the_sooner_comes_the_next_detection(
    failures: int, rate: float, interval_s: float
) -> None:
    monitor = monitor_after([False] * failures + [True] * (20 - failures))
    assert monitor.success_rate == pytest.approx(rate)
    assert monitor.interval_s == interval_s


def test_only_the_last_twenty_outcomes_count() -> None:
    assert WINDOW == 20
    assert monitor_after([False] * 50 + [True] * 20).success_rate == 1.0
    assert monitor_after([True] * 50 + [False] * 20).success_rate == 0.0


def test_the_order_within_the_window_does_not_matter() -> None:
    assert monitor_after([True] * 17 + [False] * 3).interval_s == monitor_after([False] * 3 + [True] * 17).interval_s


def test_without_an_outcome_the_interval_is_the_longest() -> None:
    assert TrackerMonitor().interval_s == 3.2


def test_a_few_outcomes_count_as_they_are() -> None:
    assert monitor_after([True, False]).interval_s == 0.4


def test_a_new_shot_forgets_the_old_one() -> None:
    monitor = monitor_after([False] * 20)
    monitor.reset()
    assert monitor.interval_s == 3.2
