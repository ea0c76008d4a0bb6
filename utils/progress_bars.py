"""Progress of a batch: bars on a terminal, occasional lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

from tqdm import tqdm

from utils.stage_monitor import StageMonitor

_NAME_WIDTH = 28
_BATCH_FORMAT = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
_STAGE_FORMAT = "{desc} {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} [{elapsed}<{remaining}]"
_UNKNOWN_FORMAT = "{desc} {n:.0f} [{elapsed}]"
_LINE_INTERVAL_S = 10.0


class BatchMonitor:
    """Receives the progress of a batch. This base class shows nothing. Thread-safe, like its subclasses.

    stop: once set, every stage ends in order.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()

    def begin(self, videos: int) -> None:
        """Start a batch of `videos` videos."""

    def expect(self, name: str, weight: float) -> None:
        """Announce that the video `name` will be processed. weight: estimate of its share of the work."""

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


class LineMonitor(BatchMonitor):
    """For a log file or a pipe: one line every 10 s per running stage, with the remaining time."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._stream = stream
        self._clock = clock
        self._lock = threading.Lock()
        self._started: dict[tuple[str, str], float] = {}
        self._shown: dict[tuple[str, str], float] = {}

    def stage(self, name: str, stage: str, done: float, total: float) -> None:
        with self._lock:
            now = self._clock()
            begun = self._started.setdefault((name, stage), now)
            if now - self._shown.setdefault((name, stage), begun) < _LINE_INTERVAL_S:
                return
            self._shown[name, stage] = now
        if total > 0 and done > 0:
            share = min(done / total, 1.0)
            left = tqdm.format_interval((now - begun) * (1 - share) / share)
            self.write(f"{name}: {stage} {100 * share:.0f} %, {left} left")
        else:
            self.write(f"{name}: {stage} {done:.0f}")

    def end_video(self, name: str) -> None:
        with self._lock:
            for key in [key for key in self._started if key[0] == name]:
                del self._started[key]
                self._shown.pop(key, None)

    def write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class BarMonitor(BatchMonitor):
    """One bar for the batch and below it one per stage, each with the remaining time.

    Stages of two videos overlap (one is encoded while the next is analysed), so each stage has its own line, which
    shows the name of the video.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream or sys.stderr
        # tqdm's defaults, a lock shared by processes and a monitoring thread, are not needed here.
        tqdm.set_lock(threading.RLock())
        tqdm.monitor_interval = 0
        self._lock = threading.RLock()
        self._videos = 0
        self._weights: dict[str, float] = {}
        self._shares: dict[str, dict[str, float]] = {}
        self._ended: set[str] = set()
        self._batch: Any = None
        self._bars: dict[str, Any] = {}
        self._owners: dict[str, str] = {}

    def begin(self, videos: int) -> None:
        with self._lock:
            self._videos = videos
            self._batch = self._bar(total=1.0, position=0, bar_format=_BATCH_FORMAT, smoothing=0.0)
            self._show_batch()

    def expect(self, name: str, weight: float) -> None:
        with self._lock:
            self._weights[name] = weight
            self._show_batch()

    def stage(self, name: str, stage: str, done: float, total: float) -> None:
        with self._lock:
            if self._batch is None or name in self._ended:
                return
            if stage not in self._bars:
                self._bars[stage] = self._bar(total=None, position=len(self._bars) + 1, bar_format=_UNKNOWN_FORMAT)
            bar = self._bars[stage]
            if self._owners.get(stage) != name:
                self._owners[stage] = name
                bar.reset()
                bar.set_description_str(f"{stage:<8} {_shortened(name):<{_NAME_WIDTH}}", refresh=False)
            # The total is estimated from the header; if it is too small, it grows with the progress.
            bar.total = max(total, done) if total > 0 else None
            bar.bar_format = _STAGE_FORMAT if total > 0 else _UNKNOWN_FORMAT
            bar.update(done - bar.n)
            if total > 0:
                self._shares.setdefault(name, {})[stage] = min(done / total, 1.0)
                self._show_batch()

    def end_video(self, name: str) -> None:
        with self._lock:
            self._ended.add(name)
            self._shares.pop(name, None)
            for stage in [s for s, owner in self._owners.items() if owner == name]:
                # The line stays empty until the next video reaches this stage.
                del self._owners[stage]
                bar = self._bars[stage]
                bar.bar_format = "{desc}"
                bar.set_description_str("", refresh=True)
            self._show_batch()

    def write(self, line: str) -> None:
        with self._lock:
            tqdm.write(line, file=self._stream)

    def close(self) -> None:
        with self._lock:
            for bar in [*self._bars.values(), self._batch]:
                if bar is not None:
                    bar.close()
            self._bars, self._batch = {}, None

    def _bar(self, **options: Any) -> Any:
        # leave=False: only the log and the final table remain on the screen.
        return tqdm(file=self._stream, leave=False, dynamic_ncols=True, miniters=0, mininterval=0.1, **options)

    def _show_batch(self) -> None:
        if self._batch is None:
            return
        # Analysis takes most of the time; the other stages together count as a quarter.
        done = sum(self._weights.get(name, 0.0) for name in self._ended)
        for name, shares in self._shares.items():
            others = [share for stage, share in shares.items() if stage != "analyse"]
            share = 0.75 * shares.get("analyse", 0.0) + 0.25 * (sum(others) / len(others) if others else 0.0)
            done += self._weights.get(name, 0.0) * share
        # A video that has not been inspected yet counts like the mean of the others.
        known = sum(self._weights.values())
        unseen = self._videos - len(self._ended | self._weights.keys())
        self._batch.total = known + unseen * (known / len(self._weights) if self._weights else 1.0) or 1.0
        self._batch.set_description_str(f"video {len(self._ended)} of {self._videos}", refresh=False)
        self._batch.update(done - self._batch.n)


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "…"
