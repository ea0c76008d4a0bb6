"""A batch whose work is scripted: videos that need not be decoded, processors that note what happens to them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import VERSION, Settings, result_settings
from core.errors import InvalidVideoError
from core.media import video_probe
from core.types import VideoInfo
from processors.batch.batch_inputs import find_inputs
from processors.batch.batch_request import BatchRequest
from processors.batch.batch_summary import BatchSummary
from processors.batch.executor import VideoJob
from processors.batch_runner import run_batch
from processors.results.manifest import write_manifest
from processors.results.output_folder import staged_results
from tests.material import factories
from tests.material.page_material import a_manifest, as_manifest
from utils.console.batch_monitor import BatchMonitor
from utils.console.stage_monitor import StageMonitor


def video_info(path: Path) -> VideoInfo:
    return factories.video_info(path, duration_s=2.0, frame_count=50)


def pretend_probe(monkeypatch: pytest.MonkeyPatch) -> Callable[..., VideoInfo]:
    """For a fixture: every file is a video, except those whose content says otherwise."""

    def scripted(path: Path, video_stream: int = 0) -> VideoInfo:
        if path.read_bytes().startswith(b"not"):
            raise InvalidVideoError("not a video", path=path, hint="try another")
        return video_info(path)

    monkeypatch.setattr(video_probe, "probe_video", scripted)
    return scripted


def pretend_videos(tmp_path: Path) -> Path:
    """For a fixture: an input folder with the videos a, b, c, d."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.mp4").write_bytes(name.encode())
    return folder


class Script:
    """Makes processors that note what happens and do what `analyse` and `finish` say for a video's name."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.threads: dict[str, set[str]] = {"analyse": set(), "finish": set()}
        self.at = 0.0
        """when the step of interest began, as `time.monotonic` says"""
        self.steps: dict[tuple[str, str], Any] = {}
        self.analysed_before: set[str] = set()

    def make(self, job: VideoJob, monitor: StageMonitor) -> Any:
        return ScriptedProcessor(self, job, monitor)

    def play(self, step: str, name: str, monitor: StageMonitor) -> None:
        self.threads[step].add(threading.current_thread().name)
        self.events.append((step, name))
        action = self.steps.get((step, name))
        if isinstance(action, BaseException):
            raise action
        if action is not None:
            action(monitor)
        self.events.append((f"{step} end", name))


class ScriptedProcessor:
    """The work on one video as its script says; writes a small result folder."""

    def __init__(self, script: Script, job: VideoJob, monitor: StageMonitor) -> None:
        self.script, self.info, self.folder, self.lease = script, job.info, job.folder, job.lease
        self.mark, self.settings, self.monitor = job.fingerprint, job.settings, monitor

    def prepare(self) -> None:
        self.script.events.append(("prepare", self.info.path.stem))

    def analyse(self) -> SimpleNamespace:
        self.script.play("analyse", self.info.path.stem, self.monitor)
        return SimpleNamespace(name=self.info.path.stem, cached=self.info.path.stem in self.script.analysed_before)

    def finish(self, record: SimpleNamespace) -> Any:
        analysis = record.name
        assert analysis == self.info.path.stem
        with staged_results(self.folder, self.mark, lease=self.lease) as partial:
            (partial / "person_01").mkdir()
            (partial / "person_01" / "clip.mp4").write_bytes(b"clip")
            self.script.play("finish", analysis, self.monitor)
            (partial / "timeline.json").write_bytes(b"{}")
            manifest = as_manifest({
                **a_manifest(),
                "version": VERSION,
                "input": {"size_bytes": self.mark.size_bytes, "sha256": self.mark.sha256},
                "settings": result_settings(self.settings),
                "timeline": {"sha256": hashlib.sha256(b"{}").hexdigest(), "edited": False},
                "video": {**a_manifest()["video"], "duration_s": 2.0},
                "people": a_manifest()["people"][:1],
                "clips": [{**a_manifest()["clips"][0], "file": "person_01/clip.mp4"}],
                "files": [{"file": "person_01/clip.mp4", "bytes": 4}, {"file": "timeline.json", "bytes": 2}],
            })  # fmt: skip
            write_manifest(partial, manifest)
        return manifest


def run(
    folder: Path,
    script: Script,
    monitor: BatchMonitor | None = None,
    settings: Settings | None = None,
    given: set[str] | None = None,
) -> BatchSummary:
    """A batch with the videos of `folder`; its output folder is `out` beside it."""
    output = folder.parent / "out"
    request = BatchRequest(find_inputs([str(folder)], output), output, settings or Settings(), given)
    return run_batch(request, monitor or BatchMonitor(), script.make)


def statuses(summary: BatchSummary) -> list[str]:
    return [result.status for result in summary.results]


def hidden(folder: Path) -> list[str]:
    """Names of temporary files and folders that were left in the output folder."""
    return [p.name for p in folder.parent.joinpath("out").rglob(".partial-*")]
