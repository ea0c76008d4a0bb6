"""Real worker processes with scripted videos: what a crash, a hang and a stop cost, and what runs at the same time."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from processors.batch.executor import JobOutcome
from processors.batch.input_result import InputResult
from processors.batch.run_journal import RunHistory, RunJournal
from processors.workers import pool_worker
from processors.workers.job_link import HostSetup
from processors.workers.naming_service import NamingService
from processors.workers.pool_worker import PoolWorker, ProcessSource
from processors.workers.remote_monitor import RemoteMonitor
from processors.workers.stage_runner import StageRunner
from processors.workers.worker_pool import WorkerPool
from processors.workers.worker_threads import WorkerThreads
from tests.material.worker_hosts import named_host
from tests.processors.workers.job_material import LEVELS, video_job
from utils.console.batch_monitor import BatchMonitor

pytestmark = pytest.mark.errors_expected  # a video that is left out is logged as an error

WAIT_S = 60.0


class Journal(RunJournal):
    """Which stages of which inputs are in progress, and what became of them."""

    def __init__(self) -> None:
        super().__init__(RunHistory())
        self.open: set[str] = set()
        self.results: dict[str, str] = {}

    def tell(self, event: str, name: str, detail: object) -> None:
        if event == "begin":
            self.open.add(name)
        elif event == "end":
            self.open.discard(name)
        elif isinstance(detail, InputResult):
            self.results[name] = detail.status


class Pool:
    def __init__(self, folder: Path, count: int, stall_limit_s: float) -> None:
        self.folder = folder
        self.monitor, self.journal = BatchMonitor(), Journal()
        self.threads = WorkerThreads(self.monitor.stop)
        self.pool = WorkerPool(
            ProcessSource(count, HostSetup(Settings(), folder / "out", 3, LEVELS), named_host),
            NamingService(None, self.monitor.stop),
            RemoteMonitor(self.monitor, self.journal),
            StageRunner(self.journal),
            self.threads,
            stall_limit_s=stall_limit_s,
        )
        self.threads.start()

    def submit(self, *names: str) -> dict[str, Future[JobOutcome]]:
        return {name: self.pool.submit(video_job(self.folder, name)) for name in names}

    def run(self, *names: str) -> dict[str, InputResult]:
        """The results of videos that are all submitted at once, and nothing follows."""
        futures = self.submit(*names)
        self.pool.close()
        results = {name: future.result(WAIT_S).result for name, future in futures.items()}
        return {name: result for name, result in results.items() if result is not None}

    def log_lines(self) -> list[str]:
        """See `NamedVideo`."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "out" / "analysed.log").read_text().splitlines()
        return []

    def analysed(self) -> list[tuple[str, int]]:
        """Videos and the processes that analysed them."""
        return [(line.split()[0], int(line.split()[1])) for line in self.log_lines()]

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def make_pool(tmp_path: Path) -> Iterator[Callable[..., Pool]]:
    made: list[Pool] = []

    def make(count: int, stall_limit_s: float = WAIT_S) -> Pool:
        made.append(Pool(tmp_path, count, stall_limit_s))
        return made[-1]

    yield make
    for pool in made:
        pool.monitor.stop.set()
        pool.threads.join(5)
        assert not pool.threads.alive
        assert pool.threads.bug is None
        assert not any(is_running(process) for _, process in pool.analysed())


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_videos_are_worked_on_at_the_same_time_in_processes_that_stay(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(2)
    assert pool.pool.wait_for_capacity(0)
    futures = pool.submit("slow-a")
    assert pool.pool.wait_for_capacity(0)
    futures |= pool.submit("slow-b")
    assert not pool.pool.wait_for_capacity(0)
    assert futures["slow-a"].result(WAIT_S).result is not None
    assert pool.pool.wait_for_capacity(WAIT_S)
    results = pool.run("c", "d")
    assert [result.status for result in results.values()] == ["done"] * 2
    pool.threads.join(WAIT_S)
    processes = dict(pool.analysed())
    assert processes["slow-a"] != processes["slow-b"]
    assert {processes["c"], processes["d"]} <= {processes["slow-a"], processes["slow-b"]}
    assert os.getpid() not in processes.values()
    assert pool.journal.open == set()
    assert pool.journal.results == dict.fromkeys(processes, "done")
    assert {line.split()[2] for line in pool.log_lines()} == {"3"}, "threads of each"


def test_a_broken_worker_costs_one_video_and_that_only_if_it_comes_again(
    make_pool: Callable[..., Pool], caplog: pytest.LogCaptureFixture
) -> None:
    pool = make_pool(2, stall_limit_s=5.0)
    results = pool.run("abort-once", "killed", "hang-once", "gpu-once", "a")
    assert {name: result.status for name, result in results.items()} == {
        "abort-once": "done", "killed": "failed", "hang-once": "done", "gpu-once": "done", "a": "done",
    }  # fmt: skip
    said = "its worker process crashed (killed; out of memory?) while the video was being analysed"
    assert results["killed"].reason == f"{said}, for the second time; left out"
    for name, what in (
        ("killed", "crashed (killed; out of memory?)"),
        ("abort-once", "crashed (SIGABRT)"),
        ("hang-once", "made no progress for 5.0 s"),
        ("gpu-once", "could no longer use the GPU"),
    ):
        assert f"{name}.mp4: its worker process {what} while the video was being " in caplog.text
    counts = [name for name, _ in pool.analysed()]
    assert {name: counts.count(name) for name in results} == {
        "abort-once": 2, "killed": 2, "hang-once": 2, "gpu-once": 2, "a": 1,
    }  # fmt: skip
    assert pool.journal.open == set(), "a later crash of the batch is not blamed on them"
    assert pool.journal.results["killed"] == "failed"


def test_a_missing_tool_ends_the_run_when_what_was_begun_is_done(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(2)
    futures = pool.submit("slow-a", "missing", "never")
    assert futures["missing"].result(WAIT_S).fatal is not None
    result = futures["slow-a"].result(WAIT_S).result
    assert result is not None and result.status == "done"
    pool.wait_for(pool.monitor.stop.is_set)
    assert not futures["never"].done()


def test_a_stop_ends_everything_at_once(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(2)
    futures = pool.submit("busy", "hang", "c")
    pool.wait_for(lambda: len(pool.analysed()) == 2)
    started = time.monotonic()
    pool.monitor.stop.set()
    results = [futures[name].result(5).result for name in ("busy", "hang")]
    assert time.monotonic() - started < 2.0
    assert [result.status for result in results if result is not None] == ["interrupted"] * 2
    pool.threads.join(5)
    assert not any(is_running(process) for _, process in pool.analysed())
    assert not futures["c"].done()


def test_a_process_takes_few_videos(make_pool: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_worker, "JOBS_PER_WORKER", 2)
    pool = make_pool(1)
    pool.run("a", "b", "c")
    processes = [process for _, process in pool.analysed()]
    assert processes[0] == processes[1] != processes[2]


def test_a_machine_without_room_for_more_processes(
    make_pool: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, started = PoolWorker, 0

    def full_after(count: int) -> Callable[..., PoolWorker]:
        def start(*arguments: Any) -> PoolWorker:
            nonlocal started
            if started >= count:
                raise OSError(11, "Resource temporarily unavailable")
            started += 1
            return real(*arguments)

        return start

    said = "no worker process can be started: Resource temporarily unavailable"
    monkeypatch.setattr(pool_worker, "PoolWorker", full_after(1))
    results = make_pool(2).run("slow-a", "b")
    assert [result.status for result in results.values()] == ["done", "done"]
    assert caplog.text.count(f"{said}; continuing with 1") == 1
    monkeypatch.setattr(pool_worker, "PoolWorker", full_after(0))
    assert make_pool(2).run("c")["c"].reason == said
