"""Processes damaged videos, one path per line of standard input, and reports in JSON how each ended.

Started by `benchmarks.robustness.faults`, which watches it, so that a hang or a
crash affects one file only.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import shutil
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from config import Settings
from core.errors import PipelineError
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.settings_file import load_settings
from processors.video.video_request import VideoRequest
from processors.video_processor import VideoProcessor
from utils.console.stage_monitor import StageMonitor
from utils.fingerprints import fingerprint

LEAVE_S = 2.0
"""time that threads and processes have to end after their file"""


def settings_for(cache: Path) -> Settings:
    """Small quick clips, short stretches too."""
    return load_settings(
        None,
        {
            "analysis": {"device": "cpu", "embedder": "dlib"},
            "clip": {"size": 96, "min_clip": 0.1},
            "encode": {"preset": "ultrafast", "codec": "x264"},
            "run": {"cache_dir": str(cache), "cache": False, "offline": True, "threads": 2},
        },
    )


class Worker:
    """State of the process: the models, and what was open before the first file."""

    def __init__(self, settings: Settings, output: Path) -> None:
        self._settings = settings
        self._output = output
        self._models = ModelManager(settings)
        self._open = 0
        self._threads: set[threading.Thread] = set()

    def settle(self, valid: Path) -> dict[str, Any]:
        """Process an intact video, so that everything that stays loaded and open is."""
        self.run(valid)
        report = self.run(valid)
        self._open, self._threads = _open_files(), set(threading.enumerate())
        return report

    def run(self, path: Path) -> dict[str, Any]:
        """Outcome of one file: refused, done or traceback; detail, frames, wall_s, peak_mb and leaks."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak is to be this file's
        started, frames = time.monotonic(), 0
        try:
            outcome = "done"
            detail, frames = self._process(path)
        except PipelineError as error:
            outcome, detail = "refused", str(error)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            outcome, detail = "traceback", f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
        wall_s = time.monotonic() - started
        return {
            "outcome": outcome,
            "detail": detail,
            "frames": frames,
            "wall_s": wall_s,
            "peak_mb": _peak_mb(),
            "leaks": self._leaks(),
        }

    def _process(self, path: Path) -> tuple[str, int]:
        """The warnings of the result, and the number of decoded frames."""
        info = probe_video(path)
        folder = self._output / "result"
        shutil.rmtree(folder, ignore_errors=True)
        request = VideoRequest(info, folder, fingerprint(path), self._settings)
        processor = VideoProcessor(request, StageMonitor(), lambda: self._models)
        processor.prepare()
        manifest = processor.finish(processor.analyse())
        said = f"{len(manifest.clips)} clips; " + "; ".join(manifest.warnings)
        return said, manifest.video.frames

    def _leaks(self) -> list[str]:
        if not self._threads:
            return []
        deadline = time.monotonic() + LEAVE_S
        while (left := self._left()) and time.monotonic() < deadline:
            gc.collect()
            time.sleep(0.05)
        return left

    def _left(self) -> list[str]:
        found = [f"thread {t.name}" for t in threading.enumerate() if t not in self._threads]
        if (now := _open_files()) > self._open:
            found.append(f"{now - self._open} open files")
        for listing in Path("/proc/self/task").glob("*/children"):
            found.extend(f"process {pid}" for pid in listing.read_text().split())
        found.extend(f"file {p.name}" for p in self._output.rglob(".partial-*"))
        return found


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("valid", type=Path, help="an intact video to begin with")
    parser.add_argument("--limit-mb", type=int, default=0, help="address space, MB; 0 is no limit")
    arguments = parser.parse_args()
    # Libraries may write to standard output, so the reports get a descriptor of their own.
    reports = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if arguments.limit_mb:
        resource.setrlimit(resource.RLIMIT_AS, (arguments.limit_mb << 20,) * 2)
    worker = Worker(settings_for(arguments.cache), arguments.output)
    print(json.dumps(worker.settle(arguments.valid)), file=reports)
    for line in sys.stdin:
        print(json.dumps(worker.run(Path(json.loads(line)))), file=reports)


if __name__ == "__main__":
    main()
