"""Progress where there is no terminal: a line a minute, or JSON for another program."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import TextIO

from utils.console.batch_monitor import BatchMonitor, stage_text
from utils.console.batch_progress import BatchProgress
from utils.time_formats import format_duration

_LINE_INTERVAL_S = 60.0
_EVENT_INTERVAL_S = 1.0


class _WritingMonitor(BatchMonitor):
    """Follows the progress of a batch and writes lines about it to a stream."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._stream = stream
        self._clock = clock
        self._lock = threading.RLock()
        self._progress = BatchProgress(clock)

    def set_workers(self, at_a_time: int) -> None:
        with self._lock:
            self._progress.set_workers(at_a_time)

    def expect(self, name: str, weight: float) -> None:
        with self._lock:
            self._progress.expect(name, weight)

    def _put(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class LineMonitor(_WritingMonitor):
    """For a log file or a pipe: a line a minute with what is being done, per cent and the time left."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream, clock)
        self._shown = clock()

    def begin(self, videos: int, at_a_time: int = 1) -> None:
        with self._lock:
            self._progress.begin(videos, at_a_time)
            self._shown = self._clock()

    def stage(self, name: str, stage: str, done: float, total: float) -> None:
        with self._lock:
            self._progress.stage(name, stage, done, total)
            now = self._clock()
            if now - self._shown < _LINE_INTERVAL_S:
                return
            self._shown = now
            eta_s = self._progress.eta_s
            left = "" if eta_s is None else f": {100 * self._progress.share:.0f} %, about {format_duration(eta_s)} left"
            where = f"video {self._progress.current} of {self._progress.count}"
            self.write(f"{where} ({name}, {stage_text(stage, done, total)}){left}")

    def end_video(self, name: str) -> None:
        with self._lock:
            self._progress.end(name)

    def write(self, line: str) -> None:
        self._put(line)


class JsonMonitor(_WritingMonitor):
    """For another program: one JSON object a line, with the same keys in every line (docs/outputs.md)."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream, clock)
        self._shown: dict[tuple[str, str], float] = {}

    def begin(self, videos: int, at_a_time: int = 1) -> None:
        with self._lock:
            self._progress.begin(videos, at_a_time)
            self._tell("begin", done=0, total=videos)

    def stage(self, name: str, stage: str, done: float, total: float) -> None:
        with self._lock:
            self._progress.stage(name, stage, done, total)
            now, shown = self._clock(), self._shown.get((name, stage))
            # The last report of a stage is never left out.
            if shown is None or now - shown >= _EVENT_INTERVAL_S or done == total > 0:
                self._shown[name, stage] = now
                self._tell("stage", name, stage, done, total or None)

    def end_video(self, name: str) -> None:
        with self._lock:
            self._progress.end(name)
            self._shown = {key: when for key, when in self._shown.items() if key[0] != name}
            self._tell("end", name, done=self._progress.ended, total=self._progress.count)

    def write(self, line: str) -> None:
        with self._lock:
            self._tell("log", message=line)

    def _tell(
        self,
        event: str,
        name: str | None = None,
        stage: str | None = None,
        done: float | None = None,
        total: float | None = None,
        **more: str,
    ) -> None:
        eta_s = self._progress.eta_s
        values = {
            "event": event,
            "input": name,
            "stage": stage,
            "done": done,
            "total": total,
            "eta_s": None if eta_s is None else round(eta_s, 1),
            **more,
        }
        self._put(json.dumps(values))
