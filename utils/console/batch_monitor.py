"""Receives the progress of a batch. Bars are in `progress_bars.py`, lines in `progress_lines.py`."""

from __future__ import annotations

import threading

from utils.console.stage_monitor import StageMonitor


class BatchMonitor:
    """Receives the progress of a batch. This base class shows nothing. Thread-safe, like its subclasses.

    stop: once set, every stage ends in order.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()

    def begin(self, videos: int, at_a_time: int = 1) -> None:
        """Start a batch of `videos` videos, `at_a_time` of which are processed at a time."""

    def set_workers(self, at_a_time: int) -> None:
        """Set how many videos are processed at a time, which was not known at `begin`."""

    def expect(self, name: str, weight: float) -> None:
        """Announce that the video `name` will be processed. weight: its length, seconds."""

    def video(self, name: str) -> StageMonitor:
        """Return the monitor for the stages of the video `name`."""
        return _VideoMonitor(self, name)

    def stage(self, name: str, stage: str, done: float, total: float) -> None:
        """Report that `stage` of the video `name` has done `done` of about `total` units (0: unknown)."""

    def end_video(self, name: str) -> None:
        """Report that the video `name` is finished or skipped."""

    def write(self, line: str) -> None:
        """Print a line without disturbing the bars."""

    def close(self) -> None:
        """Remove the bars; may be called twice."""


class _VideoMonitor(StageMonitor):
    def __init__(self, batch: BatchMonitor, name: str) -> None:
        super().__init__(batch.stop)
        self._batch = batch
        self._name = name

    def update(self, stage: str, done: float, total: float) -> None:
        self._batch.stage(self._name, stage, done, total)


CONVERT = "convert"
"""the stage in which networks are converted, once per machine; `total` is the number of networks"""


def stage_text(stage: str, done: float, total: float) -> str:
    """How a stage is shown: "converting 2 of 4 networks (once)", else its name. done: finished networks."""
    if stage != CONVERT:
        return stage
    return f"converting {min(int(done) + 1, int(total))} of {int(total)} networks (once)"
