"""A batch over real files with scripted faces, worked on by one process or by several:

    python -m tests.material.parallel_run INPUT_FOLDER OUTPUT_FOLDER CACHE_FOLDER WORKERS [CRASH_STEM]

WORKERS is a number of processes, or "cluster": two workers of a cluster by Ray on this machine.

Of four people A, B, C, D a video called "a" shows A and B, "b" shows B and C, and so on, so the order in which the
gallery gets to know them shows in its numbers. With several workers the analysis of "a" ends after those of all others.
The process that renders the video CRASH_STEM aborts at its first clip, once.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from config import Settings
from core.settings_file import load_settings
from core.types import FaceAnalysis, VideoInfo
from processors import face_analyzer
from processors.batch.batch_inputs import find_inputs
from processors.batch.batch_request import BatchRequest
from processors.batch_runner import run_batch
from processors.video import analysis_key
from processors.workers.job_host import JobHost
from processors.workers.job_link import HostSetup, JobLink
from processors.workers.remote_namer import RemoteNamer
from processors.workers.video_processor_factory import VideoProcessorFactory
from tests.material.crashing_run import inject
from tests.material.killed_run import NoModels, ScriptedAnalyzer
from utils.console.batch_monitor import BatchMonitor
from utils.console.console_log import configure_logging

CRASH_STEM = "CRASH_STEM"
"""variable of the environment that tells worker processes which video is to crash"""


class CastAnalyzer(ScriptedAnalyzer):
    """last: the video whose analysis has to begin before that of "a" may end; "" if it need not."""

    last = ""

    def analyze(self, info: VideoInfo) -> FaceAnalysis:
        number = ord(info.path.stem[0]) - ord("a")
        deadline = time.monotonic() + 60
        while number == 0 and self.last and not (self.log.exists() and self.last in self.log.read_text()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.last} is not analysed")
            time.sleep(0.02)
        analysis = super().analyze(info)
        tracklets = (dataclasses.replace(t, embeddings=np.roll(t.embeddings, number, 1)) for t in analysis.tracklets)
        return dataclasses.replace(analysis, tracklets=tuple(tracklets))


def script_faces(cache: Path) -> None:
    """Script the faces of all videos in this process."""
    ScriptedAnalyzer.log = cache / "analysed.log"
    face_analyzer.FaceAnalyzer = CastAnalyzer  # type: ignore[misc,assignment]
    analysis_key.code_digest = lambda: "scripted"  # type: ignore[assignment]


def scripted_faces_host(setup: HostSetup, link: JobLink) -> JobHost:
    """The host of each worker process."""
    cache = Path(setup.settings.run.cache_dir)
    script_faces(cache)
    CastAnalyzer.last = "c.mp4"
    if stem := os.environ.get(CRASH_STEM):
        inject("encode", stem, cache / "crashes.log", 1)
    return JobHost(setup, link, factory(setup.settings, setup.output_dir, RemoteNamer(link)))


def factory(settings: Settings, output: Path, names: RemoteNamer | None = None) -> VideoProcessorFactory:
    no_models: Any = NoModels()
    return VideoProcessorFactory(settings, output, lambda _: no_models, names)


def run(inputs: Path, output: Path, cache: Path, workers: str) -> int:
    """Run a batch; returns the exit code."""
    how = {"cluster": "local", "workers": 2} if workers == "cluster" else {"workers": int(workers)}
    cache.mkdir(parents=True, exist_ok=True)
    settings = load_settings(
        None,
        {
            "clip": {"size": 64},
            "encode": {"preset": "ultrafast", "codec": "x264"},
            "analysis": {"embedder": "dlib"},
            "run": {"cache_dir": str(cache), **how},
        },
    )
    script_faces(cache)
    here = factory(settings, output) if workers == "1" else None
    sources = find_inputs([str(inputs)], output)
    # This module runs as __main__, under which name workers do not find it.
    host = importlib.import_module("tests.material.parallel_run").scripted_faces_host
    summary = run_batch(BatchRequest(sources, output, settings), BatchMonitor(), here, make_host=host)
    print("\n".join(summary.lines()))
    return summary.exit_code


if __name__ == "__main__":
    configure_logging(0, lambda line: print(line, file=sys.stderr))
    if len(sys.argv) > 5:
        os.environ[CRASH_STEM] = sys.argv[5]
    given_inputs, given_output, given_cache = map(Path, sys.argv[1:4])
    sys.exit(run(given_inputs, given_output, given_cache, sys.argv[4]))
