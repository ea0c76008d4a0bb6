"""A host for worker processes of tests whose videos do what their names say.

A worker finds its host by name, so it is a function of a module, which imports little: every process has to.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from core.errors import DeadDeviceError, InterruptedRunError, ToolMissingError
from processors.batch.executor import VideoJob
from processors.workers.job_host import JobHost
from processors.workers.job_link import HostSetup, JobLink
from tests.processors.workers.job_material import DraftedVideo


def hang(_: Any) -> None:
    """Do nothing for ever, as a codec that waits for itself."""
    while True:
        time.sleep(60)


def keep_busy(monitor: Any) -> None:
    """Work until the run ends, as a stage should."""
    while not monitor.stop.wait(0.05):
        monitor.update("analyse", 1, 2)
    raise InterruptedRunError("stopped")


def slow(monitor: Any) -> None:
    """Take a second, and say so all the time."""
    for step in range(20):
        time.sleep(0.05)
        monitor.update("analyse", step, 20)


def abort(_: Any) -> None:
    os.abort()


def be_killed(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(_: Any) -> None:
    os._exit(7)


def lose_gpu(_: Any) -> None:
    raise DeadDeviceError("the GPU is gone")


def lack_ffmpeg(_: Any) -> None:
    raise ToolMissingError("there is no ffmpeg")


ACTIONS: dict[str, Callable[[Any], None]] = {
    "hang": hang, "busy": keep_busy, "slow": slow, "abort": abort, "killed": be_killed, "exit": leave,
    "gpu": lose_gpu, "missing": lack_ffmpeg,
}  # fmt: skip


class NamedVideo(DraftedVideo):
    """A processor whose analysis does what the name of its video says: ACTION, or ACTION-once, and maybe more.

    Each analysis adds a line with the name and the process to `analysed.log` in the folder of the video's folder.
    """

    def __init__(self, job: VideoJob, monitor: Any) -> None:
        self._name = job.source.name
        self._folder = job.folder.parent
        self._threads = job.settings.run.threads
        self._monitor = monitor

    def prepare(self) -> None: ...

    def analyse(self) -> Any:
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / "analysed.log"
        is_first = not log.exists() or f"{self._name} " not in log.read_text()
        with log.open("a") as file:
            file.write(f"{self._name} {os.getpid()} {self._threads}\n")
        action, _, when = self._name.partition("-")
        if action in ACTIONS and (is_first or not when.startswith("once")):
            ACTIONS[action](self._monitor)
        return SimpleNamespace(cached=False)

    def finish(self, record: Any, draft: Any = None, names: Any = None) -> Any:
        return SimpleNamespace(people=(), clips=("clip",), video=SimpleNamespace(duration_s=2.0))


def named_host(setup: HostSetup, link: JobLink) -> JobHost:
    """Does what the names of videos say; nobody is named."""
    return JobHost(setup, link, NamedVideo)
