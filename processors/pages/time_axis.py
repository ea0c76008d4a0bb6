"""The time axis of a report: where intervals and ticks lie on it, in per cent of its length."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from utils.time_formats import clock

_MAX_TICKS = 10
_TICK_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_LAST_TICK = 0.97
"""share of the axis after which there is no tick: its label would reach beyond the page"""


class TimeAxis(NamedTuple):
    """The part of the video that was analysed, seconds."""

    start_s: float
    length_s: float

    def span(self, start_s: float, end_s: float) -> dict[str, float]:
        """Position `x` and width `w` of an interval, per cent of the axis."""
        whole = max(self.length_s, 1e-6)
        return {"x": round(100 * (start_s - self.start_s) / whole, 3), "w": round(100 * (end_s - start_s) / whole, 3)}

    def ticks(self) -> list[dict[str, Any]]:
        """Position `x`, per cent, and `label` of at most eleven ticks at round times."""
        fitting = (s for s in _TICK_STEPS_S if self.length_s / s <= _MAX_TICKS)
        step = next(fitting, max(_TICK_STEPS_S[-1], self.length_s / _MAX_TICKS))
        numbers = range(math.ceil(self.start_s / step), int((self.start_s + self.length_s) / step) + 1)
        times = [i * step for i in numbers if i * step - self.start_s <= self.length_s * _LAST_TICK]
        return [{"x": self.span(s, s)["x"], "label": _tick_label(s, step)} for s in times]


def _tick_label(seconds: float, step: float) -> str:
    text = clock(seconds)
    return text if step < 1 else text.partition(".")[0]
