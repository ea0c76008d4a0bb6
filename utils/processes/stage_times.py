"""Measures where a run spends its time. Off by default, at the cost of one comparison; benchmarks switch it on.

    with timed("decode"):
        frame = decoder.decode(packet)

The time of a stage excludes stages nested in it. Stages of different threads overlap, so their sum may exceed the time
of the run. `timed` also decorates functions, but must not decorate a generator: the time of its consumer would count.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass


@dataclass(slots=True)
class StageTime:
    """Sums over all threads. cpu_s: of the threads in the stage, without the threads that helped them."""

    calls: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0


class StageClock:
    """Collects the measurements of `timed`.

    Attributes:
        begun: `time.time()` at the first stage, None before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: dict[str, StageTime] = {}
        self._own = threading.local()
        self.begun: float | None = None

    def enter(self, stage: str) -> None:
        """Start `stage` on the calling thread."""
        if self.begun is None:
            self.begun = time.time()
        self._stack().append((stage, time.perf_counter(), time.thread_time(), [0.0, 0.0]))

    def leave(self) -> None:
        """End the innermost stage of the calling thread."""
        stack = self._stack()
        if not stack:  # it started before the clock was switched on
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
        """Return a copy of the sums so far, without stages in progress."""
        with self._lock:
            return {name: StageTime(t.calls, t.wall_s, t.cpu_s) for name, t in self._stages.items()}

    def _stack(self) -> list[tuple[str, float, float, list[float]]]:
        stack: list[tuple[str, float, float, list[float]]] = self._own.__dict__.setdefault("stack", [])
        return stack


_clock: StageClock | None = None


def switch_on() -> StageClock:
    """Start measuring; returns the clock, which starts at zero."""
    global _clock
    _clock = StageClock()
    return _clock


def switch_off() -> None:
    """Stop measuring."""
    global _clock
    _clock = None


class timed(contextlib.ContextDecorator):
    """Adds the time of the block or function to `stage`."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def __enter__(self) -> None:
        if _clock is not None:
            _clock.enter(self._stage)

    def __exit__(self, *_: object) -> None:
        if _clock is not None:
            _clock.leave()
