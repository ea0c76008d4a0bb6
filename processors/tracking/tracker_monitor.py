"""How well following works, and how often a full detection has to correct it."""

from __future__ import annotations

from collections import deque

WINDOW = 20
"""how many of the last outcomes count"""

INTERVALS = ((0.95, 80), (0.80, 40), (0.60, 20), (0.0, 10))
"""(success rate at least, frames between two full detections)"""


class TrackerMonitor:
    """Success rate of the last 20 attempts to follow a face, and the interval that follows from it."""

    def __init__(self) -> None:
        self._outcomes: deque[bool] = deque(maxlen=WINDOW)

    def record(self, success: bool) -> None:
        """One face was followed into a picture, or lost."""
        self._outcomes.append(success)

    def reset(self) -> None:
        """A new shot: what was learned about the old one says nothing."""
        self._outcomes.clear()

    @property
    def success_rate(self) -> float:
        """Share in [0, 1]; 1.0 as long as nothing was tried."""
        return sum(self._outcomes) / len(self._outcomes) if self._outcomes else 1.0

    @property
    def interval(self) -> int:
        """Frames after which the next full detection is due."""
        return next(frames for rate, frames in INTERVALS if self.success_rate >= rate)
