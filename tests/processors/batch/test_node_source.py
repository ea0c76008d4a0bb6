"""The pool on the nodes of a cluster: deaths, nodes that cannot work, full disks, the place of stored analyses."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings
from core.errors import DeadDeviceError, InterruptedRunError, OutputError, SettingsError, WorkerGoneError
from core.settings_file import load_settings
from processors.batch import cluster_worker, node_source, node_worker
from processors.batch.cluster import ClusterNode
from processors.batch.executor import JobOutcome, VideoJob
from processors.batch.input_result import InputResult
from processors.batch.job_host import JobHost
from processors.batch.job_link import HostTerms, JobLink
from processors.batch.naming_desk import NamingDesk
from processors.batch.node_source import NodeSource
from processors.batch.remote_monitor import RemoteMonitor
from processors.batch.run_journal import RunJournal
from processors.batch.stage_runner import StageRunner
from processors.batch.worker_pool import WorkerPool
from processors.batch.worker_threads import WorkerThreads
from tests.processors.batch.cluster_material import FakeCluster
from tests.processors.batch.job_material import ScriptedVideo, nothing, video_job
from utils.batch_monitor import BatchMonitor

pytestmark = pytest.mark.errors_expected  # a video that is left out is logged as an error

WAIT_S = 20.0
NODES = [ClusterNode("n1", "node1", 4, 0), ClusterNode("n2", "node2", 4, 0)]


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
        journal = RunJournal()
        self.desk = NamingDesk(namer, self.monitor.stop)
        self.pool = WorkerPool(
            NodeSource(self._connect, Settings(), [], folder, self.monitor, self._host),
            self.desk,
            RemoteMonitor(self.monitor, journal),
            StageRunner(journal),
            self.threads,
            self.monitor.stop,
            stall_limit_s=WAIT_S,
        )

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

    def _host(self, terms: HostTerms, link: JobLink) -> JobHost:
        number = len(self.cluster.workers)

        def make(job: VideoJob, monitor: Any) -> ScriptedVideo:
            node = self.cluster.workers[number][0].node.id

            def analyse(seen: Any) -> None:
                self.wait_for(lambda: all(worker.is_started for worker in [*self.pool._workers]))
                self.analysed.append((job.source.name, node))
                self._analyse(job.source.name, node, seen)

            return ScriptedVideo(job, monitor, analyse, nothing)

        return JobHost(terms, link, make)

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
    monkeypatch.setattr(cluster_worker, "_COLLECT_S", 0.02)
    monkeypatch.setattr(cluster_worker, "_SILENCE_S", 0.1)

    def make(nodes: int = 2, analyse: Callable[[str, str, Any], None] = lambda *_: None, namer: Any = None) -> Run:
        made.append(Run(tmp_path, NODES[:nodes], analyse, namer))
        return made[-1]

    yield make
    for run in made:
        run.monitor.stop.set()
        run.threads.join(5)
        assert not run.threads.alive
        assert all(worker.is_dead for _, worker in run.cluster.workers), "no worker is left"
        assert run.cluster.is_closed or not run.connected


def statuses(results: dict[str, InputResult | None]) -> dict[str, str]:
    return {name: "" if result is None else result.status for name, result in results.items()}


def test_nothing_is_connected_without_work(make_run: Callable[..., Run]) -> None:
    run = make_run().start()
    assert run.pool.wait_for_room(0)
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
    assert sum(share.node.id == "n1" for share, _ in run.cluster.workers) == node_source.MOST_FAILED_STARTS


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
    monkeypatch.setattr(cluster_worker, "room_problems", lambda *_: ["the disk of /scratch is full"])

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
    monkeypatch.setattr(cluster_worker, "room_problems", lambda *_: ["the disk of /scratch is full"])

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


def test_a_video_that_was_set_aside_goes_back_to_where_its_analysis_is(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first video takes long, the second is analysed meanwhile on the other node and has to wait for its turn."""
    go_on = threading.Event()

    def analyse(name: str, node: str, monitor: Any) -> None:
        if name == "first":
            go_on.wait(WAIT_S)

    run = make_run(analyse=analyse)
    order = [video_job(run.folder, name).fingerprint for name in ("first", "second")]
    named: list[Any] = []
    monkeypatch.setattr(run.desk, "is_turn", lambda video: video == order[0] or order[0] in named)
    monkeypatch.setattr(run.desk, "leave", named.append)
    run.start()
    futures = run.submit("first", "second")
    run.wait_for(lambda: ("second", "n2") in run.analysed)
    futures |= run.submit("third")
    run.wait_for(lambda: any(name == "third" for name, _ in run.analysed))
    go_on.set()
    run.pool.close()
    assert all(future.result(WAIT_S).result for future in futures.values())
    assert [node for name, node in run.analysed if name == "second"] == ["n2", "n2"]


def test_nobody_waits_for_the_names_of_a_video_that_waits_for_a_worker(make_run: Callable[..., Run]) -> None:
    """Seen when a node died: its video had to be named first, and the only worker left waited for that."""
    second = video_job(Path("x"), "second").fingerprint

    def analyse(name: str, node: str, monitor: Any) -> None:
        if name == "first" and node == "n1":
            run.wait_for(lambda: ("second", "n2") in run.analysed)
            run.cluster.dead_nodes["n1"] = "its node is gone"
            run.die("n1", "its node is gone")
            raise InterruptedRunError("a thread cannot be killed")
        if name == "second":
            run.wait_for(lambda: run.desk.is_turn(second))

    run = make_run(analyse=analyse, namer=SimpleNamespace(gallery_path=Path("people.db"))).start()
    futures = run.submit("first", "second", settings=load_settings(None, {"run": {"cache": False}}))
    run.pool.close()
    assert statuses({name: future.result(WAIT_S).result for name, future in futures.items()}) == {
        "first": "done", "second": "done",
    }  # fmt: skip


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
    seen: list[HostTerms] = []

    def host(terms: HostTerms, link: JobLink) -> JobHost:
        seen.append(terms)
        return JobHost(terms, link, nothing)  # type: ignore[arg-type]

    make_run()  # for its patches
    settings = load_settings(None, {"run": {"threads": 3}})
    source = NodeSource(lambda: FakeCluster(NODES), settings, [], tmp_path, BatchMonitor(), host)
    source.open()
    source.end(source.start(queue.SimpleQueue()))
    source.close()
    assert (seen[0].settings.run.offline, seen[0].threads) == (True, 3)
