"""The driver's end of a worker process: questions that fail, silence, and a driver that dies."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from core.errors import LeaseHeldError, PipelineError
from processors.workers.job_host import JobHost
from processors.workers.job_link import HostSetup, JobLink, TurnQuestion
from processors.workers.pool_worker import PoolWorker
from processors.workers.worker_process import Asked, Ended, Started, sendable
from processors.workers.worker_source import Inbox
from tests.material.worker_hosts import NamedVideo
from tests.processors.workers.job_material import host_setup, mark, video_job

WAIT_S = 60.0
DRIVER = """\
import queue, sys, time
from pathlib import Path
from processors.workers.pool_worker import PoolWorker
from tests.material.worker_hosts import named_host
from tests.processors.workers.job_material import host_setup, video_job
folder, inbox = Path(sys.argv[1]), queue.SimpleQueue()
PoolWorker(host_setup(folder), named_host, inbox).give(video_job(folder, "hang"))
time.sleep(60)
"""


class AskingVideo(NamedVideo):
    """Asks a question when it is finished, and fails with what comes back."""

    link: JobLink

    def finish(self, record: Any, draft: Any = None, names: Any = None) -> Any:
        self.link.ask(TurnQuestion(mark("a")))
        return super().finish(record, draft, names)


def asking_host(setup: HostSetup, link: JobLink) -> JobHost:
    AskingVideo.link = link
    return JobHost(setup, link, AskingVideo)


class Driver:
    def __init__(self, folder: Path, make_host: Any) -> None:
        self.inbox: Inbox = queue.SimpleQueue()
        self.now = 0.0
        self.worker = PoolWorker(host_setup(folder), make_host, self.inbox, lambda: self.now)

    def wait_for(self, kind: type) -> Any:
        deadline = time.monotonic() + WAIT_S
        while not isinstance(message := self.inbox.get(timeout=WAIT_S)[1], kind):
            assert message is not None and time.monotonic() < deadline
        return message


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    made = Driver(tmp_path, asking_host)
    yield made
    made.worker.kill()


@pytest.mark.errors_expected
def test_a_worker_that_waits_for_an_answer_is_not_silent_and_gets_the_error(driver: Driver, tmp_path: Path) -> None:
    driver.wait_for(Started)
    driver.worker.give(video_job(tmp_path, "a"))
    turn: Future[Any] = Future()
    turn.set_result(True)
    driver.worker.expect_answer(driver.wait_for(Asked), turn)
    asked = driver.wait_for(Asked)
    assert asked.question == TurnQuestion(mark("a"))
    driver.now = 100.0
    assert driver.worker.silent_s == 100.0
    answer: Future[Any] = Future()
    driver.worker.expect_answer(asked, answer)
    assert driver.worker.silent_s == 0.0
    # This error cannot be sent: it needs more than its message to be made.
    answer.set_exception(LeaseHeldError("process 17 on node3", path=Path("out")))
    driver.now = 130.0
    assert driver.worker.silent_s == 30.0
    ended = driver.wait_for(Ended)
    assert ended.outcome.result.status == "failed"
    assert "another run is working on this (process 17 on node3)" in ended.outcome.result.reason


def test_an_error_that_can_be_sent_stays_what_it_is() -> None:
    assert isinstance(sendable(ValueError("x")), ValueError)
    assert type(sendable(LeaseHeldError("somebody", path=Path("out")))) is PipelineError


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker notices by its pipe, which takes its own time")
def test_a_worker_dies_with_its_driver(tmp_path: Path, project: Path) -> None:
    log = tmp_path / "out" / "analysed.log"
    command = [sys.executable, "-c", DRIVER, str(tmp_path)]
    driver = subprocess.Popen(command, cwd=project, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + WAIT_S
        while not (log.exists() and log.read_text().endswith("\n")):
            assert driver.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        worker = int(log.read_text().split()[1])
        os.kill(worker, 0)
    finally:
        driver.kill()
        driver.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and "Z" not in Path(f"/proc/{worker}/stat").read_text().split(") ")[1][:1]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
