"""Where a run spends its time. Off, at the cost of a comparison, unless a benchmark switches it on.

    with timed("decode"):
        picture = decoder.decode(packet)

A stage's time is its own: what a stage inside it takes counts for that one alone. Stages of different threads
overlap, so their sum may exceed the run's time. `timed` decorates functions too, but never a generator: what its
consumer does in between would count.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass


@dataclass(slots=True)
class StageTime:
    """Sums over all threads. cpu_s: of the threads that were in the stage, not of those that worked for them."""

    calls: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0


class StageClock:
    """Collects what `timed` measures while it is switched on.

    Attributes:
        begun: `time.time()` at the first stage, None before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: dict[str, StageTime] = {}
        self._own = threading.local()
        self.begun: float | None = None

    def enter(self, stage: str) -> None:
        """The calling thread begins `stage`."""
        if self.begun is None:
            self.begun = time.time()
        self._stack().append((stage, time.perf_counter(), time.thread_time(), [0.0, 0.0]))

    def leave(self) -> None:
        """The calling thread ends the stage that it began last."""
        stack = self._stack()
        if not stack:  # it was begun before the clock was switched on
            return
        stage, began, cpu_began, inner = stack.pop()
        wall, cpu = time.perf_counter() - began, time.thread_time() - cpu_began
        with self._lock:
            total = self._stages.setdefault(stage, StageTime())
            total.calls += 1
            total.wall_s += wall - inner[0]
            total.cpu_s += cpu - inner[1]
        if stack:
            outer = stack[-1][3]
            outer[0] += wall
            outer[1] += cpu

    def report(self) -> dict[str, StageTime]:
        """A copy of the sums so far; stages under way are not in it."""
        with self._lock:
            return {name: StageTime(t.calls, t.wall_s, t.cpu_s) for name, t in self._stages.items()}

    def _stack(self) -> list[tuple[str, float, float, list[float]]]:
        stack: list[tuple[str, float, float, list[float]]] = self._own.__dict__.setdefault("stack", [])
        return stack


_clock: StageClock | None = None


def switch_on() -> StageClock:
    """Measure from now on; returns the clock, which starts at zero."""
    global _clock
    _clock = StageClock()
    return _clock


def switch_off() -> None:
    """Measure no more."""
    global _clock
    _clock = None


class timed(contextlib.ContextDecorator):
    """Counts the time in the block, or in the function, for `stage`."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def __enter__(self) -> None:
        if _clock is not None:
            _clock.enter(self._stage)

    def __exit__(self, *_: object) -> None:
        if _clock is not None:
            _clock.leave()
