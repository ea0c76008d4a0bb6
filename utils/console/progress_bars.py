"""Progress of a batch as bars on a terminal."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

from tqdm import tqdm

from utils.console.batch_monitor import CONVERT, BatchMonitor, stage_text
from utils.console.batch_progress import BatchProgress
from utils.processes.helper_threads import helper_thread
from utils.time_formats import format_duration

_NAME_WIDTH = 28
_BATCH_FORMAT = "{desc} {percentage:3.0f}%|{bar}| {elapsed}"
_STAGE_FORMAT = "{desc} {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} [{elapsed}<{remaining}]"
_UNKNOWN_FORMAT = "{desc} {n:.0f} [{elapsed}]"
_REDRAW_S = 0.1
_TICK_S = 1.0


class BarMonitor(BatchMonitor):
    """One bar for the batch and below it one per stage, each with the remaining time.

    Stages of two videos overlap (one is encoded while the next is analysed), so each stage has its own line, which
    shows the name of the video. If several videos are processed at a time, each of them has a line.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        redraw_s: float = _REDRAW_S,
        tick_s: float = _TICK_S,
    ) -> None:
        """stream: the terminal; by default standard error. clock: seconds from any origin, for the time left.

        redraw_s: shortest time between two drawings of a bar. tick_s: how often all are drawn if nothing is reported.
        """
        super().__init__()
        self._stream = stream or sys.stderr
        # tqdm's defaults, a lock shared by processes and a monitoring thread, are not needed here.
        tqdm.set_lock(threading.RLock())
        tqdm.monitor_interval = 0
        self._lock = threading.RLock()
        self._clock = clock
        self._progress = BatchProgress(clock)
        self._redraw_s = redraw_s
        self._tick_s = tick_s
        self._shown = -redraw_s
        self._ended: set[str] = set()
        self._batch: Any = None
        self._bars: dict[str, Any] = {}
        self._owners: dict[str, tuple[str, str]] = {}
        self._at_a_time = 1
        self._closed = threading.Event()
        self._ticking: threading.Thread | None = None

    def begin(self, videos: int, at_a_time: int = 1) -> None:
        with self._lock:
            self._progress.begin(videos, at_a_time)
            self._at_a_time = at_a_time
            self._batch = self._bar(total=1.0, position=0, bar_format=_BATCH_FORMAT)
            self._show_batch()
        self._ticking = helper_thread(self._tick, name="progress")
        self._ticking.start()

    def set_workers(self, at_a_time: int) -> None:
        with self._lock:
            self._progress.set_workers(at_a_time)
            self._at_a_time = at_a_time

    def expect(self, name: str, weight: float) -> None:
        with self._lock:
            self._progress.expect(name, weight)
            self._show_batch()

    def stage(self, name: str, stage: str, done: float, total: float) -> None:
        with self._lock:
            if self._batch is None or name in self._ended:
                return
            self._progress.stage(name, stage, done, total)
            line = self._line(name, stage)
            if line not in self._bars:
                self._bars[line] = self._bar(total=None, position=len(self._bars) + 1, bar_format=_UNKNOWN_FORMAT)
            bar = self._bars[line]
            if self._owners.get(line) != (name, stage):
                self._owners[line] = (name, stage)
                bar.reset()
            text = stage_text(stage, done, total)
            bar.set_description_str(f"{text:<8} {_shortened(name):<{_NAME_WIDTH}}", refresh=False)
            # The total is estimated from the header; if it is too small, it grows with the progress.
            bar.total = max(total, done) if total > 0 else None
            bar.bar_format = _STAGE_FORMAT if total > 0 and stage != CONVERT else _UNKNOWN_FORMAT
            bar.update(done - bar.n)
            # An analysed video may have to wait for others before it continues.
            if done >= total and (stage == CONVERT or (self._at_a_time > 1 and total > 0)):
                self._clear(line)
            if self._clock() - self._shown >= self._redraw_s:
                self._show_batch()

    def end_video(self, name: str) -> None:
        with self._lock:
            self._ended.add(name)
            self._progress.end(name)
            for line in [line for line, owner in self._owners.items() if owner[0] == name]:
                self._clear(line)
            self._show_batch()

    def write(self, line: str) -> None:
        with self._lock:
            tqdm.write(line, file=self._stream)

    def close(self) -> None:
        self._closed.set()
        if self._ticking is not None:
            self._ticking.join()
            self._ticking = None
        with self._lock:
            for bar in [*self._bars.values(), self._batch]:
                if bar is not None:
                    bar.close()
            self._bars, self._batch = {}, None

    def _tick(self) -> None:
        while not self._closed.wait(self._tick_s):
            with self._lock:
                self._show_batch()
                for line in self._owners:
                    self._bars[line].refresh()

    def _line(self, name: str, stage: str) -> str:
        """The key of the line that shows `stage` of the video `name`."""
        if self._at_a_time == 1:
            return stage
        own = (line for line, owner in self._owners.items() if owner[0] == name)
        free = (line for line in map(str, itertools.count(1)) if line not in self._owners)
        return next(own, None) or next(free)

    def _clear(self, line: str) -> None:
        """Empty a line until something else is shown there."""
        del self._owners[line]
        bar = self._bars[line]
        bar.bar_format = "{desc}"
        bar.set_description_str("", refresh=True)

    def _bar(self, **options: Any) -> Any:
        # leave=False: only the log and the final table remain on the screen.
        return tqdm(
            file=self._stream, leave=False, dynamic_ncols=True, miniters=0, mininterval=self._redraw_s, **options
        )

    def _show_batch(self) -> None:
        if self._batch is None:
            return
        self._shown = self._clock()
        eta_s = self._progress.eta_s
        left = "" if eta_s is None else f", about {format_duration(eta_s)} left"
        self._batch.bar_format = _BATCH_FORMAT + left
        self._batch.set_description_str(f"video {self._progress.current} of {self._progress.count}", refresh=False)
        self._batch.n = self._progress.share
        self._batch.refresh()


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "…"
