"""The cluster by Ray: what it is asked for, and one clear line for everything that can be wrong with it."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings
from core.errors import SettingsError, ToolMissingError, WorkerGoneError
from processors.batch import ray_cluster as module
from processors.batch.cluster import ClusterNode, WorkerShare
from processors.batch.node_check import NodeQuestion, NodeReport
from processors.batch.node_worker import NodeWorker
from processors.batch.ray_cluster import RayCluster, connect
from processors.batch.worker_process import Answered, Asked, Ended, real_host
from tests.processors.batch.job_material import ScriptedVideo, host_terms, nothing, video_job
from tests.processors.batch.ray_material import NODE, FakeRay

MISMATCH = """Version mismatch: The cluster was started with:
    Ray: 2.51.0
    Python: 3.11.2
This process on 10.0.0.2 was started with:
    Ray: 2.60.0
    Python: 3.11.7
"""


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    before = dict(os.environ)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def use(monkeypatch: pytest.MonkeyPatch, ray: FakeRay) -> FakeRay:
    monkeypatch.setitem(sys.modules, "ray", ray)
    strategies = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda node, soft: (node, soft))
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", strategies)
    return ray


def test_without_ray_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolMissingError) as caught:
        connect("local")
    assert str(caught.value) == (
        "--cluster needs the package ray, which is not installed (python -m pip install -r requirements-ray.txt)"
    )


@pytest.mark.parametrize(
    ("version", "is_taken"), [("2.49.2", False), ("2.50.0", True), ("3.0.0", True), ("odd", False)]
)
def test_an_old_ray_is_refused(monkeypatch: pytest.MonkeyPatch, version: str, is_taken: bool) -> None:
    ray = use(monkeypatch, FakeRay(version))
    if is_taken:
        connect("local").close()
        return
    with pytest.raises(ToolMissingError, match=rf"ray {version} is too old: at least 2\.50"):
        connect("local")
    assert ray.options == {}


def test_a_local_cluster_is_private_and_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = use(monkeypatch, FakeRay())
    tokens = set()
    for _ in range(2):
        connect("local").close()
        tokens.add(os.environ["RAY_AUTH_TOKEN"])
    assert len(tokens) == 2 and min(map(len, tokens)) == 64
    assert (os.environ["RAY_AUTH_MODE"], os.environ["RAY_USAGE_STATS_ENABLED"]) == ("token", "0")
    assert ("RAY_worker_niceness", "0") in os.environ.items(), "as fast as without Ray"
    assert ray.options["address"] == "local" and ray.options["include_dashboard"] is False
    assert not ray.is_connected


def test_a_local_cluster_leaves_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray = use(monkeypatch, FakeRay())
    monkeypatch.setattr(module, "_LONGEST_TEMPORARY_FOLDER", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cluster = connect("local")
    assert Path(ray.options["_temp_dir"]).parent == tmp_path
    cluster.close()
    ray._error = RuntimeError("no memory")
    with pytest.raises(SettingsError, match="no cluster can be started on this machine: no memory"):
        connect("local")
    assert list(tmp_path.iterdir()) == []


def test_rays_handler_of_sigterm_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = use(monkeypatch, FakeRay())
    ours = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(ray, "init", lambda **_: signal.signal(signal.SIGTERM, signal.SIG_IGN))
    connect("local")
    assert signal.getsignal(signal.SIGTERM) is ours


def test_an_address_where_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = use(monkeypatch, FakeRay())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SettingsError, match=rf"^no cluster listens at 127\.0\.0\.1:{port} \(Connection refused\) \("):
        connect(f"127.0.0.1:{port}")
    with pytest.raises(SettingsError, match=r"^no cluster listens at 127\.0\.0\.1:99999 \("):
        connect("127.0.0.1:99999")
    assert ray.options == {}, "Ray would try for two minutes"


def test_a_host_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    use(monkeypatch, FakeRay())
    monkeypatch.setattr(socket, "create_connection", unknown)
    with pytest.raises(SettingsError, match=r"no cluster listens at nohost:1 \(Name or service not known\)"):
        connect("nohost:1")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            RuntimeError(MISMATCH),
            "the cluster at ADDRESS runs Ray 2.51.0 and Python 3.11.2, this machine Ray 2.60.0 and Python 3.11.7: "
            "both must be the same",
        ),
        (ValueError("odd\nsee"), "the cluster at ADDRESS cannot be used: odd"),
        (ConnectionError("Failed to connect"), "what listens at ADDRESS is no Ray cluster, or it takes another token"),
        (type("AuthenticationError", (Exception,), {})("no"), "than that of RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or"),
    ],
)
def test_a_cluster_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, listening: str, error: Exception, line: str
) -> None:
    use(monkeypatch, FakeRay(error=error))
    with pytest.raises(SettingsError) as caught:
        connect(listening)
    said = str(caught.value)
    assert line.replace("ADDRESS", listening) in said and "\n" not in said


def test_no_cluster_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeRay(error=ConnectionError("Could not find any running Ray instance.")))
    with pytest.raises(SettingsError, match=r"no cluster runs on this machine .*--cluster local"):
        connect("auto")


def test_rays_client_is_refused_also_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeRay())
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    with pytest.raises(SettingsError, match="ray://head:10001: Ray's client is not supported"):
        connect("auto")


def test_nodes_are_those_that_live_and_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay()
    ray.listed = [
        {**NODE, "NodeID": "cc" * 6, "Resources": {"CPU": 8.0, "GPU": 2.0}},
        {**NODE, "NodeID": "aa" * 6},
        {**NODE, "NodeID": "bb" * 6, "Alive": False},
        {**NODE, "NodeID": "dd" * 6, "Resources": {}},
    ]
    assert RayCluster(ray).nodes() == [
        ClusterNode("aa" * 6, "node1 (aaaaaa)", 4, 0),
        ClusterNode("cc" * 6, "node1 (cccccc)", 8, 2),
    ]


def test_a_node_is_asked_on_that_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray = use(monkeypatch, FakeRay())
    asked = []

    def examine(question: NodeQuestion) -> NodeReport:
        asked.append(question)
        return NodeReport({"version": "1"}, ())

    monkeypatch.setattr(module, "examine_node", examine)
    question = NodeQuestion(Settings(), (), tmp_path, "m", "s")
    assert RayCluster(ray).examine(ClusterNode("n1", "n1", 2, 0), question).result(5).terms == {"version": "1"}
    assert asked == [question]


IMPORT_ERROR = (
    "The remote function failed to import on the worker.\n\nModuleNotFoundError: No module named 'processors'"
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (IMPORT_ERROR, "the program cannot be imported there (no module processors); it and its packages have to be"),
        ("The actor died because its node has died. Node Id: 12\nmore", "its node is gone"),
        ("The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR", "killed or crashed"),
        ("Task was killed due to the node running low on memory. OutOfMemoryError: out of memory", "memory was full"),
        ("first\nsomething new", "RuntimeError: something new"),
    ],
)
def test_why_a_worker_is_gone_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, line: str
) -> None:
    def broken(question: NodeQuestion) -> NodeReport:
        raise RuntimeError(text)

    monkeypatch.setattr(module, "examine_node", broken)
    use(monkeypatch, FakeRay())
    question = NodeQuestion(Settings(), (), tmp_path, "m", "s")
    call = RayCluster(FakeRay()).examine(ClusterNode("n1", "n1", 2, 0), question)
    with pytest.raises(WorkerGoneError) as caught:
        call.result(5)
    assert line in str(caught.value) and "\n" not in str(caught.value)


def test_a_worker_is_an_actor_that_ray_never_restarts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray = use(monkeypatch, FakeRay())
    monkeypatch.setattr(module.RayActor, "take_over_log", nothing)
    monkeypatch.setattr(
        "processors.batch.job_host.VideoProcessorFactory.__call__",
        lambda self, job, monitor: ScriptedVideo(job, monitor, nothing, nothing),
    )
    share = WorkerShare(ClusterNode("n1", "n1", 4, 1), 4, 1)
    worker = RayCluster(ray).start(share, host_terms(tmp_path), real_host)
    (actor,) = ray.actors
    assert {name: actor.options[name] for name in ("num_cpus", "num_gpus", "max_restarts", "max_task_retries")} == {
        "num_cpus": 4, "num_gpus": 1, "max_restarts": 0, "max_task_retries": 0,
    }  # fmt: skip
    assert actor.options["scheduling_strategy"] == ("n1", False)
    ended = worker.carry_out(video_job(tmp_path, "a"))
    said: list[Any] = []
    while not any(isinstance(message, Ended) for message in said):
        for message in worker.fetch().result(10):
            said.append(message)
            if isinstance(message, Asked):
                worker.answer(Answered(message.number, True))
    ended.result(5)
    assert said[-1].outcome.result.status == "done"
    worker.kill()
    with pytest.raises(WorkerGoneError, match="ended by the run"):
        worker.fetch().result(5)


def test_ray_is_asked_for_nothing_while_it_tells_of_an_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ray 2.60 would wait for itself for ever: seen when a worker was killed."""
    ray = use(monkeypatch, FakeRay())
    monkeypatch.setattr(module.RayActor, "take_over_log", nothing)
    begun, go_on = threading.Event(), threading.Event()

    def analyse(_: Any) -> None:
        begun.set()
        go_on.wait(10)

    monkeypatch.setattr(
        "processors.batch.job_host.VideoProcessorFactory.__call__",
        lambda self, job, monitor: ScriptedVideo(job, monitor, analyse, nothing),
    )
    node = ClusterNode("n1", "node1", 4, 0)
    inbox: Any = queue.SimpleQueue()
    worker = NodeWorker(node, RayCluster(ray).start(WorkerShare(node, 4, 0), host_terms(tmp_path), real_host), inbox)
    worker.give(video_job(tmp_path, "a"))
    assert begun.wait(10)
    ray.actors[0].die("The actor is dead because its worker process has died.")
    while inbox.get(timeout=10)[1] is not None:
        pass
    go_on.set()
    ray.actors[0].instance.stop()
    assert worker.cause_of_death() == "on node node1: killed or crashed"
    assert ray.deadlocks == 0


def test_ray_itself_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeRay())
    connect("local")
    assert logging.getLogger("ray").level == logging.ERROR
