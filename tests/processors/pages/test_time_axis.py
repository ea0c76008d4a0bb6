"""Intervals and ticks on the time axis of a report."""

from __future__ import annotations

import pytest

from processors.pages.time_axis import TimeAxis


@pytest.mark.parametrize("length_s", [0.0, 0.3, 12.8, 60, 754, 5400, 200_000])
def test_the_axis_has_few_ticks_at_round_times(length_s: float) -> None:
    ticks = TimeAxis(0.0, length_s).ticks()
    assert 1 <= len(ticks) <= 11
    assert len({tick["label"] for tick in ticks}) == len(ticks)
    assert all(0 <= tick["x"] <= 97 for tick in ticks)


def test_ticks_of_a_minute_are_ten_seconds_apart() -> None:
    ticks = TimeAxis(0.0, 60.0).ticks()
    assert [tick["label"] for tick in ticks] == ["0:00", "0:10", "0:20", "0:30", "0:40", "0:50"]
    assert [tick["x"] for tick in ticks] == pytest.approx([0, 100 / 6, 200 / 6, 50, 400 / 6, 500 / 6], abs=1e-3)


def test_the_axis_of_a_part_begins_with_it() -> None:
    axis = TimeAxis(3000.0, 60.0)
    assert axis.span(3015.0, 3030.0) == {"x": 25.0, "w": 25.0}
    ticks = axis.ticks()
    assert (ticks[0]["x"], ticks[0]["label"]) == (0.0, "50:00")
    assert ticks[-1]["x"] < 97
