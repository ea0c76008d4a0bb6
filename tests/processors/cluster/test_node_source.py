"""The pool on the nodes of a cluster: deaths, nodes that cannot work, full disks, the place of stored analyses."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from core.errors import DeadDeviceError, DecodeError, InterruptedRunError, OutputError, SettingsError, WorkerGoneError
from core.settings_file import load_settings
from processors.batch.executor import JobOutcome, VideoJob
from processors.batch.input_result import InputResult
from processors.batch.run_journal import RunJournal
from processors.cluster import cluster_worker, node_source, node_worker
from processors.cluster.cluster import ClusterNode
from processors.cluster.node_source import NodeSource
from processors.workers.job_host import JobHost
from processors.workers.job_link import HostSetup, JobLink
from processors.workers.naming_service import NamingService
from processors.workers.remote_monitor import RemoteMonitor
from processors.workers.stage_runner import StageRunner
from processors.workers.worker_pool import WorkerPool
from processors.workers.worker_source import WorkerKind
from processors.workers.worker_threads import WorkerThreads
from tests.processors.cluster.cluster_material import FakeCluster
from tests.processors.workers.job_material import KeptAnalyses, ScriptedVideo, nothing, video_job
from utils.console.batch_monitor import BatchMonitor

pytestmark = pytest.mark.errors_expected  # a video that is left out is logged as an error

WAIT_S = 20.0
NODES = [ClusterNode("n1", "node1", 4, 0), ClusterNode("n2", "node2", 4, 0)]


class OpenStages(RunJournal):
    """open: the inputs whose stages have begun and not ended."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def tell(self, event: str, name: str, detail: Any) -> None:
        if event == "begin":
            self.open.append(name)
        elif event == "end" and name in self.open:
            self.open.remove(name)


class Run:
    """A pool on `cluster`; `analysed` says which node analysed which video, in order."""

    def __init__(
        self, folder: Path, nodes: list[ClusterNode], analyse: Callable[[str, str, Any], None], namer: Any = None
    ) -> None:
        self.folder = folder
        self.monitor = BatchMonitor()
        self.threads = WorkerThreads(self.monitor.stop)
        self.analysed: list[tuple[str, str]] = []
        self.connected = 0
        self.cluster = FakeCluster(nodes)
        self._analyse = analyse
        self.analyses = KeptAnalyses()
        self._lock = threading.Lock()
        self._tasks: dict[tuple[str, int | None], int] = {}
        self.shares = 1
        self.made: list[tuple[str, int | None]] = []
        self.make_share: Callable[[str, int], None] = lambda *_: None
        self.finish: Callable[[str, Any], Any] = lambda *_: None
        self.journal = journal = OpenStages()
        self.naming = NamingService(namer, self.monitor.stop)
        self.pool = WorkerPool(
            self._source(),
            self.naming,
            RemoteMonitor(self.monitor, journal),
            StageRunner(journal),
            self.threads,
            stall_limit_s=WAIT_S,
        )

    def _source(self) -> NodeSource:
        source = NodeSource(self._connect, Settings(), [], self.folder, self.monitor, self._host)
        source.handover = self.analyses  # type: ignore[assignment]
        return source

    def start(self) -> Run:
        self.threads.start()
        return self

    def run(self, *names: str) -> dict[str, InputResult | None]:
        futures = self.submit(*names)
        self.pool.close()
        return {name: future.result(WAIT_S).result for name, future in futures.items()}

    def submit(self, *names: str, settings: Settings | None = None) -> dict[str, Future[JobOutcome]]:
        return {name: self.pool.submit(video_job(self.folder, name, settings)) for name in names}

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _connect(self) -> FakeCluster:
        self.connected += 1
        return self.cluster

    def _host(self, setup: HostSetup, link: JobLink) -> JobHost:
        number, task = len(self.cluster.workers), len(self.cluster.tasks)
        run = self

        class Video(ScriptedVideo):
            shares = self.shares

            def make_share(self, record: Any, draft: Any, names: Any, number: int) -> None:
                run.begin((self.job.source.name, number), task)
                run.make_share(self.job.source.name, number)

        def make(job: VideoJob, monitor: Any) -> ScriptedVideo:
            def finish(seen: Any) -> None:
                self.begin((job.source.name, None), task)
                self.finish(job.source.name, seen)

            def analyse(seen: Any) -> None:
                node = self.cluster.workers[number][0].node.id
                self.wait_for(lambda: all(worker.is_started for worker in self.pool.roster))
                self.analysed.append((job.source.name, node))
                self._analyse(job.source.name, node, seen)

            return Video(job, monitor, analyse, finish)

        return JobHost(setup, link, make)

    def begin(self, what: tuple[str, int | None], task: int) -> None:
        self.wait_for(lambda: all(worker.is_started for worker in self.pool.roster))
        with self._lock:
            self.made.append(what)
            self._tasks[what] = task

    def die_rendering(self, what: tuple[str, int | None]) -> None:
        """End the task that makes it as a kill would."""
        self.cluster.tasks[self._tasks[what]][1].die("killed or crashed")

    def die(self, node: str, cause: str = "killed or crashed") -> None:
        """End the workers on `node` as a kill would."""
        # A copy: the pool begins another worker there at once, which is to live.
        for share, worker in list(self.cluster.workers):
            if share.node.id == node:
                worker.die(cause)


@pytest.fixture
def make_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Run]]:
    made: list[Run] = []
    monkeypatch.setattr(node_source, "agreed_nodes", lambda cluster, *_: cluster.nodes())
    monkeypatch.setattr(cluster_worker, "COLLECT_S", 0.02)
    monkeypatch.setattr(cluster_worker, "SILENCE_S", 0.1)

    def make(nodes: int = 2, analyse: Callable[[str, str, Any], None] = lambda *_: None, namer: Any = None) -> Run:
        run = Run(tmp_path, NODES[:nodes], analyse, namer)
        made.append(run)
        return run

    yield make
    for run in made:
        run.monitor.stop.set()
        run.threads.join(5)
        assert not run.threads.alive
        assert all(worker.is_dead for _, worker in (*run.cluster.workers, *run.cluster.tasks)), "no worker is left"
        assert run.cluster.is_closed or not run.connected


def statuses(results: dict[str, InputResult | None]) -> dict[str, str]:
    return {name: "" if result is None else result.status for name, result in results.items()}


def test_nothing_is_connected_without_work(make_run: Callable[..., Run]) -> None:
    run = make_run().start()
    assert run.pool.wait_for_capacity(0)
    run.pool.close()
    run.threads.join(WAIT_S)
    assert not run.threads.alive and run.connected == 0


def test_every_node_works(make_run: Callable[..., Run]) -> None:
    both = threading.Barrier(2, timeout=WAIT_S)
    run = make_run(analyse=lambda name, node, monitor: both.wait() and None).start()
    results = run.run("a", "b")
    assert statuses(results) == {"a": "done", "b": "done"}
    assert {node for _, node in run.analysed} == {"n1", "n2"}
    run.threads.join(WAIT_S)
    assert run.threads.bug is None


def test_what_keeps_the_cluster_from_being_used_ends_the_run(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: Any) -> list[ClusterNode]:
        raise SettingsError("no node of the cluster can take part: odd")

    monkeypatch.setattr(node_source, "agreed_nodes", nobody)
    run = make_run().start()
    run.submit("a")
    run.threads.join(WAIT_S)
    assert isinstance(run.threads.bug, SettingsError) and run.monitor.stop.is_set()


def test_the_job_of_a_dead_worker_is_done_by_another(
    make_run: Callable[..., Run], caplog: pytest.LogCaptureFixture
) -> None:
    def analyse(name: str, node: str, monitor: Any) -> None:
        if len(run.analysed) == 1:
            run.die(node)
            raise InterruptedRunError("a thread cannot be killed")

    run = make_run(analyse=analyse).start()
    assert statuses(run.run("a")) == {"a": "done"}
    assert [name for name, _ in run.analysed] == ["a", "a"]
    assert (
        "a.mp4: its worker process crashed (on node node1: killed or crashed) while the video was being" in caplog.text
    )


def test_a_video_that_kills_its_workers_is_left_out(make_run: Callable[..., Run]) -> None:
    def analyse(name: str, node: str, monitor: Any) -> None:
        if name == "bad":
            run.die(node)
            raise InterruptedRunError("a thread cannot be killed")

    run = make_run(1, analyse).start()
    results = run.run("bad", "good")
    assert statuses(results) == {"bad": "failed", "good": "done"}
    assert results["bad"] is not None and "for the second time; left out" in results["bad"].reason


def test_a_gpu_that_breaks_costs_a_worker(make_run: Callable[..., Run]) -> None:
    def analyse(name: str, node: str, monitor: Any) -> None:
        if len(run.analysed) == 1:
            raise DeadDeviceError("gone")

    run = make_run(1, analyse).start()
    assert statuses(run.run("a")) == {"a": "done"}
    assert len(run.cluster.workers) == 2


def test_a_node_where_no_worker_starts_is_given_up_and_no_video_is_blamed(
    make_run: Callable[..., Run], caplog: pytest.LogCaptureFixture
) -> None:
    run = make_run()
    run.cluster.dead_nodes = {"n1": "its node is gone"}
    run.start()
    assert statuses(run.run("a", "b", "c")) == dict.fromkeys("abc", "done")
    assert {node for _, node in run.analysed} == {"n2"}
    assert "cannot be started on node node1: its node is gone" in caplog.text
    assert sum(share.node.id == "n1" for share, _ in run.cluster.workers) == node_source.MAX_FAILED_STARTS


def test_without_a_node_the_run_ends(make_run: Callable[..., Run]) -> None:
    run = make_run(1)
    run.cluster.dead_nodes = {"n1": "its node is gone"}
    run.start()
    outcome = run.submit("a", "b")["a"].result(WAIT_S)
    assert isinstance(outcome.fatal, WorkerGoneError)
    assert "no worker is left that could do it; the last one crashed (on node node1: its node is gone)" in str(
        outcome.fatal
    )


def test_a_node_with_a_full_disk_gets_no_more_videos(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cluster_worker, "free_space_problems", lambda *_: ["the disk of /scratch is full"])

    def analyse(name: str, node: str, monitor: Any) -> None:
        if node == "n1":
            raise OutputError("No space left on device")
        time.sleep(0.05)

    run = make_run(analyse=analyse).start()
    assert statuses(run.run(*"abcdef")) == dict.fromkeys("abcdef", "done")
    assert [node for _, node in run.analysed].count("n1") == 1
    assert "node node1 gets no more videos: the disk of /scratch is full" in caplog.text


def test_on_the_last_node_a_full_disk_is_a_failure(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_worker, "free_space_problems", lambda *_: ["the disk of /scratch is full"])

    def analyse(name: str, node: str, monitor: Any) -> None:
        raise OutputError("No space left on device")

    assert statuses(make_run(1, analyse).start().run("a", "b")) == {"a": "failed", "b": "failed"}


def test_a_silent_worker_is_ended(make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_worker, "SILENCE_TIMEOUT_S", 2.0)
    released = threading.Event()

    def analyse(name: str, node: str, monitor: Any) -> None:
        if len(run.analysed) == 1:
            _, worker = run.cluster.workers[0]
            worker.worker.fetch = lambda: released.wait(WAIT_S) or ()  # type: ignore[assignment,method-assign,return-value]
            released.wait(WAIT_S)
            raise InterruptedRunError("over")

    run = make_run(1, analyse).start()
    try:
        assert statuses(run.run("a")) == {"a": "done"}
    finally:
        released.set()


def test_a_worker_continues_while_others_make_clips(make_run: Callable[..., Run]) -> None:
    """One worker: the clips of the first video are not made until the second is analysed."""

    def finish(name: str, monitor: Any) -> None:
        if name == "first":
            run.wait_for(lambda: ("second", "n1") in run.analysed)

    run = make_run(1)
    run.finish = finish
    run.start()
    assert statuses(run.run("first", "second")) == {"first": "done", "second": "done"}
    assert len(run.cluster.workers) == 1 and len(run.cluster.tasks) == 2
    assert all(share.kind is WorkerKind.CLIPS and share.gpus == 0 for share, _ in run.cluster.tasks)
    assert run.analyses.kept == {}, "nothing is left behind"


def test_a_long_video_is_divided_and_its_rest_is_made_when_all_shares_are(make_run: Callable[..., Run]) -> None:
    run = make_run(2)
    run.shares = 5
    run.start()
    results = run.run("film")
    assert statuses(results) == {"film": "done"}
    assert sorted(run.made[:-1]) == [("film", number) for number in range(5)] and run.made[-1] == ("film", None)
    assert {share.node.id for share, _ in run.cluster.tasks} == {"n1", "n2"}
    assert results["film"] is not None and not results["film"].analysis_cached


def test_only_the_share_of_a_dead_task_is_made_again(
    make_run: Callable[..., Run], caplog: pytest.LogCaptureFixture
) -> None:
    def share(name: str, number: int) -> None:
        if run.made.count((name, number)) == 1 and number == 2:
            run.die_rendering((name, number))
            raise InterruptedRunError("a thread cannot be killed")

    run = make_run(2)
    run.shares, run.make_share = 4, share
    run.start()
    assert statuses(run.run("film")) == {"film": "done"}
    assert sorted(run.made[:-1]) == [("film", 0), ("film", 1), ("film", 2), ("film", 2), ("film", 3)]
    assert [name for name, _ in run.analysed] == ["film"]
    assert "killed or crashed) while the video was being rendered; trying it once more" in caplog.text


def test_a_share_that_fails_twice_costs_its_video_only(make_run: Callable[..., Run]) -> None:
    def share(name: str, number: int) -> None:
        if name == "bad" and number == 1:
            run.die_rendering((name, number))
            raise InterruptedRunError("a thread cannot be killed")

    run = make_run(2)
    run.shares, run.make_share = 3, share
    run.start()
    results = run.run("bad", "good")
    assert statuses(results) == {"bad": "failed", "good": "done"}
    assert results["bad"] is not None and "rendered, for the second time; left out" in results["bad"].reason
    assert ("bad", None) not in run.made
    assert run.analyses.kept == {}
    assert run.journal.open == [], "nothing of it is taken to be in progress"


def test_shares_that_hang_together_twice_cost_their_video_only(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def share(name: str, number: int) -> None:
        released.wait(WAIT_S)
        raise InterruptedRunError("over")

    run = make_run(2)
    run.shares, run.make_share = 2, share
    roster = run.pool.roster

    def hanging() -> list[tuple[Any, float]]:
        tasks = [(w, roster.task_of(w)) for w in roster]
        silent = [(w, 5.0) for w, task in tasks if w.is_started and task is not None and task.is_share]
        return silent if len(silent) == 2 else []

    monkeypatch.setattr(roster, "hanging", hanging)
    run.start()
    try:
        results = run.run("film")
        assert statuses(results) == {"film": "failed"}
        said = "made no progress for 5.0 s while the video was being rendered, for the second time; left out"
        assert results["film"] is not None and said in results["film"].reason
        run.threads.join(WAIT_S)
        assert run.threads.bug is None
    finally:
        released.set()


def test_an_error_in_a_share_is_the_video_s_and_said_once(
    make_run: Callable[..., Run], caplog: pytest.LogCaptureFixture
) -> None:
    def share(name: str, number: int) -> None:
        raise DecodeError("damaged")

    run = make_run(2)
    run.shares, run.make_share = 3, share
    run.start()
    assert statuses(run.run("film")) == {"film": "failed"}
    assert caplog.text.count("damaged") == 1


def test_a_stop_ends_jobs_in_order_and_then_all_workers(make_run: Callable[..., Run]) -> None:
    ended: list[str] = []
    released = threading.Event()

    def analyse(name: str, node: str, monitor: Any) -> None:
        if name == "hangs":
            released.wait(WAIT_S)
        monitor.stop.wait(WAIT_S)
        ended.append(name)
        raise InterruptedRunError("stopped")

    run = make_run(analyse=analyse).start()
    futures = run.submit("a", "hangs")
    run.wait_for(lambda: len(run.analysed) == 2)
    run.monitor.stop.set()
    try:
        assert statuses({name: future.result(WAIT_S / 2).result for name, future in futures.items()}) == {
            "a": "interrupted", "hangs": "interrupted",
        }  # fmt: skip
        run.threads.join(WAIT_S / 2)
        assert not run.threads.alive, "nobody waits for what hangs"
        assert ended == ["a"]
    finally:
        released.set()


def test_workers_download_nothing(make_run: Callable[..., Run], tmp_path: Path) -> None:
    """A worker that downloads what others do not have would give other results than they."""
    seen: list[HostSetup] = []

    def host(setup: HostSetup, link: JobLink) -> JobHost:
        seen.append(setup)
        return JobHost(setup, link, nothing)  # type: ignore[arg-type]

    make_run()  # for its patches
    settings = load_settings(None, {"run": {"threads": 3}})
    source = NodeSource(lambda: FakeCluster(NODES), settings, [], tmp_path, BatchMonitor(), host)
    source.open()
    source.end(source.start(WorkerKind.VIDEOS, queue.SimpleQueue()))
    source.close()
    assert (seen[0].settings.run.offline, seen[0].threads) == (True, 3)
