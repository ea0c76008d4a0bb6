"""Calls of `main.main` in tests: videos and results for them to find, and a batch that only notes what it was given."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import main
from config import Settings, result_settings
from core.errors import InvalidVideoError
from core.media import video_probe
from core.video_info import VideoInfo
from processors import batch_runner
from processors.batch.batch_request import BatchRequest
from processors.batch.batch_summary import BatchSummary
from processors.batch.input_result import InputResult
from tests.material.factories import video_info
from tests.material.page_material import a_manifest
from utils.console.console_log import configure_logging

PROJECT = Path(main.__file__).resolve().parent

DONE = BatchSummary((InputResult("a.mp4", "a", "done", people=1, clips=2, duration_s=4, wall_s=2),), 2.0)
FAILED = BatchSummary((InputResult("a.mp4", "a", "failed", "is broken"),), 2.0)


def pretend_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """For a fixture: a folder of two files that pass as videos and one that does not; nothing real is decoded."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (folder / name).write_bytes(name.encode())

    def probe(path: Path, video_stream: int = 0) -> VideoInfo:
        if path.name == "c.mp4":
            raise InvalidVideoError("not a video", path=path)
        return video_info(path, duration_s=2.0)

    monkeypatch.setattr(video_probe, "probe_video", probe)
    yield folder
    configure_logging(0, lambda line: None)


def pretend_results(tmp_path: Path) -> Iterator[Path]:
    """For a fixture: the result folder `film` with two people, in an output folder."""
    folder = tmp_path / "out" / "film"
    folder.mkdir(parents=True)
    people = [
        {
            "name": f"person_0{n}",
            "tracklets": [n],
            "segments": [{"shot": 0, "start_s": 0, "end_s": 2, "tracklets": [n]}],
        }
        for n in (1, 2)
    ]
    tracklets = [{"id": n, "shot": 0, "start_s": 3 * n, "end_s": 3 * n + 2} for n in (1, 2)]
    timeline = {"schema": 2, "analysis": "ab" * 32, "people": people, "tracklets": tracklets}
    (folder / "timeline.json").write_text(json.dumps(timeline))
    manifest = {**a_manifest(), "analysis": "ab" * 32, "input": {"name": "film.mp4", "size_bytes": 1, "sha256": "aa"}}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "settings": result_settings(Settings())}))
    yield folder
    configure_logging(0, lambda line: None)


def scripted(monkeypatch: pytest.MonkeyPatch, outcome: Any) -> dict[str, Any]:
    """Put `outcome` in the place of the batch; return what it was given."""
    arguments: dict[str, Any] = {}

    def run_batch(request: BatchRequest, monitor: Any, journal: Any) -> Any:
        arguments.update(monitor=monitor, output_dir=request.output_dir)
        arguments.update(inputs=request.inputs, settings=request.settings, given=request.given)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome(monitor) if callable(outcome) else outcome

    monkeypatch.setattr(batch_runner, "run_batch", run_batch)
    return arguments


def run_main(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `main.main` in this process."""
    code = main.main([str(argument) for argument in arguments])
    return (code, *capsys.readouterr())


def launch(*arguments: str, cwd: Path = PROJECT, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    argv = [sys.executable, str(PROJECT / "main.py"), *arguments]
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=120, check=False, **options)
