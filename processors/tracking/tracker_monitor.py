"""Measures how well following works, and derives how often a full detection has to correct it."""

from __future__ import annotations

from collections import deque

WINDOW = 20
"""latest outcomes that count"""

INTERVALS_S = ((0.95, 3.2), (0.80, 1.6), (0.60, 0.8), (0.0, 0.4))
"""(least success rate, seconds between two full detections)"""


class TrackerMonitor:
    """Success rate of the last 20 attempts to follow a face, and the detection interval that goes with it."""

    def __init__(self) -> None:
        self._outcomes: deque[bool] = deque(maxlen=WINDOW)

    def record(self, success: bool) -> None:
        """Note that one face was followed into a frame, or lost."""
        self._outcomes.append(success)

    def reset(self) -> None:
        """Forget all outcomes; a new shot is not like the one before."""
        self._outcomes.clear()

    @property
    def success_rate(self) -> float:
        """Share in [0, 1]; 1.0 before the first attempt."""
        return sum(self._outcomes) / len(self._outcomes) if self._outcomes else 1.0

    @property
    def interval_s(self) -> float:
        """Seconds from one full detection to the next."""
        return next(seconds for rate, seconds in INTERVALS_S if self.success_rate >= rate)
