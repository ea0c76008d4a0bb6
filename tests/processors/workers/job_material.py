"""Jobs, scripted processors and a link within one process, for tests of workers."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from config import Settings
from core.errors import InterruptedRunError
from processors.batch.batch_inputs import BatchInput
from processors.batch.executor import VideoJob
from processors.video.video_draft import SharedClips
from processors.workers.job_link import HostSetup, JobEvent, Question
from tests.material.factories import video_info
from utils.console.log_forwarding import LogLevels
from utils.fingerprints import Fingerprint

LEVELS = LogLevels(logging.INFO, logging.ERROR)


def mark(name: str) -> Fingerprint:
    return Fingerprint(len(name), hashlib.sha256(name.encode()).hexdigest())


def video_job(folder: Path, name: str, settings: Settings | None = None) -> VideoJob:
    path = folder / f"{name}.mp4"
    info = video_info(path, duration_s=2.0, frame_count=50)
    return VideoJob(BatchInput(path, name), info, mark(name), folder / "out" / name, settings or Settings())


def host_setup(output_dir: Path, settings: Settings | None = None, threads: int = 1) -> HostSetup:
    return HostSetup(settings or Settings(), output_dir, threads, LEVELS)


class DirectLink:
    """A `JobLink` that keeps what is sent, and answers with `answer`."""

    def __init__(self, answer: Callable[[Question], Any] = lambda _: True) -> None:
        self.stop = threading.Event()
        self.events: list[JobEvent] = []
        self.answer = answer

    def send(self, event: JobEvent) -> None:
        self.events.append(event)

    def ask(self, question: Question) -> Any:
        return self.answer(question)


class DraftedVideo:
    """What scripted videos need where others make their clips: nobody is named, and there are `shares` of clips."""

    shares = 1

    def draft(self, record: Any, *, may_share: bool = False) -> Any:
        return SimpleNamespace(shared=SharedClips(Path("clips"), self.shares) if self.shares > 1 else None)

    def naming_case(self, record: Any, draft: Any) -> None:
        return None

    def make_share(self, record: Any, draft: Any, names: Any, number: int) -> None: ...


class ScriptedVideo(DraftedVideo):
    """A processor that does what `analyse` and `finish` say; both get its monitor."""

    def __init__(self, job: VideoJob, monitor: Any, analyse: Callable[[Any], None], finish: Callable[[Any], None]):
        self.job, self._monitor, self._analyse, self._finish = job, monitor, analyse, finish

    def prepare(self) -> None: ...

    def analyse(self) -> Any:
        self._analyse(self._monitor)
        return SimpleNamespace(cached=False, key=self.job.source.name)

    def finish(self, record: Any, draft: Any = None, names: Any = None) -> Any:
        self._finish(self._monitor)
        return SimpleNamespace(people=("anna",), clips=("one", "two"), video=SimpleNamespace(duration_s=2.0))


class KeptAnalyses:
    """An `AnalysisHandover` in memory.

    Attributes:
        kept: by key.
    """

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def put(self, record: Any) -> None:
        self.kept[record.key] = record

    def get(self, key: str, info: Any) -> Any:
        return self.kept[key]

    def drop(self, key: str) -> None:
        self.kept.pop(key, None)

    def remove(self) -> None:
        self.kept.clear()


def nothing(_: Any) -> None: ...


def wait_for_stop(monitor: Any) -> None:
    """A stage that ends only with the run."""
    monitor.stop.wait(20)
    raise InterruptedRunError("stopped")
