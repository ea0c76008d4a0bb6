"""A batch over real files with scripted faces that can kill itself at any moment:

    python -m tests.material.killed_run INPUT_FOLDER OUTPUT_FOLDER CACHE_FOLDER CLIP_SIZE KILL_AT

Every file is put in place by a rename; the process kills itself before the rename numbered KILL_AT (from 1; 0: never).
Each analysis adds a line to `analysed.log` in the cache folder, each rename one to `renames.log`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from config import Settings
from core.media.video_reader import VideoReader
from core.settings_file import load_settings
from core.types import FaceAnalysis, Tracklet, VideoInfo
from processors import face_analyzer
from processors.batch.batch_inputs import find_inputs
from processors.batch.batch_request import BatchRequest
from processors.batch.run_journal import RunJournal
from processors.batch_runner import run_batch
from processors.results.manifest import read_manifest
from processors.video import analysis_key
from processors.workers.video_processor_factory import VideoProcessorFactory
from tests.material.factories import face_analysis, tracklet
from utils.console.batch_monitor import BatchMonitor

PORTRAIT = cv2.imencode(".jpg", np.full((32, 32, 3), 128, np.uint8))[1].tobytes()


class ScriptedAnalyzer:
    """Stands in for `FaceAnalyzer`: every video shows two faces that move to the right."""

    log = Path()

    def __init__(self, *_: Any) -> None: ...

    def analyze(self, info: VideoInfo) -> FaceAnalysis:
        with self.log.open("a") as file:
            file.write(f"{info.path.name}\n")
        with VideoReader(info) as reader:
            pts = np.array([frame.pts for frame in reader.frames()], np.int64)
        tracklets = tuple(face(number, len(pts), left) for number, left in enumerate((8.0, 60.0)))
        return face_analysis(tracklets, video=info, pts=pts, statistics={"looks": 3})


def face(number: int, frames: int, left: float) -> Tracklet:
    """A face of 20 px; the embeddings of different faces are orthogonal."""
    x = left + 0.1 * np.arange(frames)
    boxes = np.stack([x, np.full(frames, 20.0), x + 20, np.full(frames, 40.0)], 1).astype(np.float32)
    spots = np.array([[6, 8], [14, 8], [10, 12], [7, 15], [13, 15]], np.float32)
    return tracklet(
        number,
        range(frames),
        boxes,
        landmarks=boxes[:, None, :2] + spots,
        embeddings=np.tile(np.eye(4)[number], (2, 1)),
        sample_frames=[3, 9],
        sample_quality=[0.9, 0.8],
        face_jpeg=PORTRAIT,
    )


class NoModels:
    """Stands in for `ModelManager` where the analyser is scripted."""

    warnings = ()

    def describe(self) -> dict[str, Any]:
        return {"device": "cpu", "embedder": {"name": "dlib", "sha256": "ab" * 32}}

    def release(self) -> None:
        """Nothing is loaded."""


def run(inputs: Path, output: Path, cache: Path, size: int, journal: RunJournal | None = None) -> int:
    """Run a batch in this process; returns the exit code."""
    ScriptedAnalyzer.log = cache / "analysed.log"
    face_analyzer.FaceAnalyzer = ScriptedAnalyzer  # type: ignore[misc,assignment]
    # Edits of the source while the tests run must not change the analysis key between runs.
    analysis_key.code_digest = lambda: "scripted"  # type: ignore[assignment]
    settings = load_settings(
        None,
        {
            "clip": {"size": size},
            "encode": {"preset": "ultrafast", "codec": "x264"},
            "analysis": {"embedder": "dlib"},
            # What a gallery knew at the time of a video is in its manifest; here all bytes have to be the same.
            "people": {"no_gallery": True},
            "run": {"cache_dir": str(cache), "overwrite": _has_other_clips(output, size)},
        },
    )
    sources = find_inputs([str(inputs)], output)
    request = BatchRequest(sources, output, settings)
    return run_batch(request, BatchMonitor(), processors(settings, output), journal).exit_code


def _has_other_clips(output: Path, size: int) -> bool:
    """Whether there are finished clips of another size, which are only replaced by order."""
    manifests = [read_manifest(path.parent) for path in output.glob("*/manifest.json")]
    return any(m is not None and m.settings["clip"]["size"] != size for m in manifests)


def processors(settings: Settings, output: Path) -> Any:
    return VideoProcessorFactory(settings, output, lambda _: NoModels())  # type: ignore[arg-type,return-value]


def die_at(kill_at: int, log: Path) -> None:
    """Kill this process before its rename number `kill_at`."""
    count, lock, rename = 0, threading.Lock(), Path.replace

    def counted(self: Path, target: Any) -> Path:
        nonlocal count
        with lock:
            count += 1
            with log.open("a") as file:
                file.write(f"{count} {Path(target).name}\n")
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    Path.replace = counted  # type: ignore[method-assign,assignment]
    Path.rename = counted  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    inputs, output, cache = (Path(argument) for argument in sys.argv[1:4])
    cache.mkdir(parents=True, exist_ok=True)
    die_at(int(sys.argv[5]), cache / "renames.log")
    sys.exit(run(inputs, output, cache, int(sys.argv[4])))
