"""A supervised batch over real files with scripted faces whose worker process aborts at one stage of one input:

    python -m tests.material.crashing_run INPUT_FOLDER OUTPUT_FOLDER CACHE_FOLDER STAGE STEM [TIMES]

STAGE is probe, decode, analyse or encode. The process aborts, as native code would, each time the stage is reached for
the video STEM, or only the first TIMES times. Each crash adds a line to `crashes.log` in the cache folder.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.media import video_probe
from core.media.clip_writer import ClipWriter
from core.media.video_reader import VideoReader
from processors.batch.run_journal import RunJournal
from processors.batch.worker_supervisor import supervise
from tests.material import killed_run


def aborting(function: Callable[..., Any], concerns: Callable[..., bool], log: Path, times: int) -> Callable[..., Any]:
    """Wrap `function` so that it aborts the process if `concerns(*arguments)`."""
    one_at_a_time = threading.Lock()  # clips are encoded on several threads, and a process dies once

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        if concerns(*arguments):
            with one_at_a_time:
                if not log.exists() or len(log.read_text().splitlines()) < times:
                    with log.open("a") as file:
                        file.write("crash\n")
                    os.abort()
        return function(*arguments, **options)

    return wrapped


def inject(stage: str, stem: str, log: Path, times: int) -> None:
    """Make this process abort when `stage` is reached for the video `stem`."""
    owner, name, concerns = {
        "probe": (video_probe, "probe_video", lambda path, *_: path.stem == stem),
        "decode": (VideoReader, "frames", lambda reader, *_: reader.info.path.stem == stem),
        "encode": (ClipWriter, "write", lambda writer, *_: f"/.partial-{stem}." in " ".join(writer.command)),
    }[stage]
    setattr(owner, name, aborting(getattr(owner, name), concerns, log, times))


def work(inputs: Path, output: Path, cache: Path, stage: str, stem: str, times: int, journal: RunJournal) -> int:
    """What the worker process does."""
    inject(stage, stem, cache / "crashes.log", times)
    return killed_run.run(inputs, output, cache, 64, journal)


if __name__ == "__main__":
    inputs, output, cache = (Path(argument) for argument in sys.argv[1:4])
    cache.mkdir(parents=True, exist_ok=True)
    times = int(sys.argv[6]) if len(sys.argv) > 6 else 1000
    sys.exit(supervise(functools.partial(work, inputs, output, cache, sys.argv[4], sys.argv[5], times)))
