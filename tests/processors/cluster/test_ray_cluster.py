"""The cluster by Ray: what it is asked for, and one line for what ends a worker."""

from __future__ import annotations

import dataclasses
import os
import queue
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings
from core.errors import WorkerGoneError
from processors.batch.executor import JobOutcome
from processors.cluster import ray_cluster as module
from processors.cluster.cluster import ClusterNode, WorkerShare
from processors.cluster.cluster_worker import ClusterProcess
from processors.cluster.node_check import NodeQuestion, NodeReport
from processors.cluster.node_worker import NodeWorker
from processors.cluster.ray_cluster import RayCluster
from processors.cluster.ray_connection import RayConnection
from processors.cluster.ray_task import RayTask
from processors.known_people.people_namer import VideoNames
from processors.workers.job_host import JobHost
from processors.workers.job_link import HostSetup, JobLink
from processors.workers.render_work import RenderWork
from processors.workers.worker_process import Answered, Asked, Ended, real_host
from processors.workers.worker_source import WorkerKind
from tests.processors.cluster.ray_material import NODE, FakeRay, Stream
from tests.processors.workers.job_material import KeptAnalyses, ScriptedVideo, host_setup, nothing, video_job


def use(monkeypatch: pytest.MonkeyPatch, ray: FakeRay) -> FakeRay:
    monkeypatch.setitem(sys.modules, "ray", ray)
    strategies = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda node, soft: (node, soft))
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", strategies)
    return ray


def test_nodes_are_those_that_live_and_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay()
    ray.listed = [
        {**NODE, "NodeID": "cc" * 6, "Resources": {"CPU": 8.0, "GPU": 2.0}},
        {**NODE, "NodeID": "aa" * 6},
        {**NODE, "NodeID": "bb" * 6, "Alive": False},
        {**NODE, "NodeID": "dd" * 6, "Resources": {}},
    ]
    assert RayCluster(RayConnection(ray)).nodes() == [
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
    assert RayCluster(RayConnection(ray)).examine(ClusterNode("n1", "n1", 2, 0), question).result(5).terms == {
        "version": "1"
    }
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
    call = RayCluster(RayConnection(FakeRay())).examine(ClusterNode("n1", "n1", 2, 0), question)
    with pytest.raises(WorkerGoneError) as caught:
        call.result(5)
    assert line in str(caught.value) and "\n" not in str(caught.value)


def test_a_worker_is_an_actor_that_ray_never_restarts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray = use(monkeypatch, FakeRay())
    monkeypatch.setattr(ClusterProcess, "forward_log", nothing)
    monkeypatch.setattr(
        "processors.workers.job_host.VideoProcessorFactory.__call__",
        lambda self, job, monitor: ScriptedVideo(job, monitor, nothing, nothing),
    )
    share = WorkerShare(ClusterNode("n1", "n1", 4, 1), 4, 1, 2)
    worker = RayCluster(RayConnection(ray)).start(share, host_setup(tmp_path), real_host)
    (actor,) = ray.actors
    assert {name: actor.options[name] for name in ("num_cpus", "num_gpus", "max_restarts", "max_task_retries")} == {
        "num_cpus": 2, "num_gpus": 1, "max_restarts": 0, "max_task_retries": 0,
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
    monkeypatch.setattr(ClusterProcess, "forward_log", nothing)
    begun, go_on = threading.Event(), threading.Event()

    def analyse(_: Any) -> None:
        begun.set()
        go_on.wait(10)

    monkeypatch.setattr(
        "processors.workers.job_host.VideoProcessorFactory.__call__",
        lambda self, job, monitor: ScriptedVideo(job, monitor, analyse, nothing),
    )
    node = ClusterNode("n1", "node1", 4, 0)
    inbox: Any = queue.SimpleQueue()
    worker = NodeWorker(
        node, RayCluster(RayConnection(ray)).start(WorkerShare(node, 4, 0, 2), host_setup(tmp_path), real_host), inbox
    )
    worker.give(video_job(tmp_path, "a"))
    assert begun.wait(10)
    ray.actors[0].die("The actor is dead because its worker process has died.")
    while inbox.get(timeout=10)[1] is not None:
        pass
    go_on.set()
    ray.actors[0].instance.stop()
    assert worker.cause_of_death() == "on node node1: killed or crashed"
    assert ray.deadlocks == 0


def test_clips_are_made_by_a_task_that_ray_never_repeats(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray = use(monkeypatch, FakeRay())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(ClusterProcess, "forward_log", nothing)
    seen: list[Any] = []

    def host(setup: HostSetup, link: JobLink) -> JobHost:
        return JobHost(setup, link, lambda job, monitor: ScriptedVideo(job, monitor, nothing, seen.append))

    analyses: Any = KeptAnalyses()
    analyses.kept["a"] = None
    setup = dataclasses.replace(host_setup(tmp_path), handover=analyses)
    share = WorkerShare(ClusterNode("n1", "n1", 4, 1), 4, 0, 2, WorkerKind.CLIPS)
    task = RayCluster(RayConnection(ray)).start(share, setup, host)
    first = task.fetch()
    draft: Any = SimpleNamespace(shared=None)
    ended = task.carry_out(RenderWork(video_job(tmp_path, "a"), "a", draft, VideoNames()))
    said: list[Any] = list(first.result(10))
    while not isinstance(said[-1], Ended):
        said += task.fetch().result(10)
    ended.result(10)
    outcome: Any = said[-1].outcome
    assert outcome.result.status == "done" and len(seen) == 1
    (stream,) = ray.streams
    assert {name: stream.options[name] for name in ("num_cpus", "num_gpus", "max_retries")} == {
        "num_cpus": 2, "num_gpus": 0, "max_retries": 0,
    }  # fmt: skip
    assert stream.options["scheduling_strategy"] == ("n1", False)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "", "clips do not depend on whether a node has a GPU"
    with pytest.raises(WorkerGoneError, match="it has ended"):
        task.fetch().result(10)


def streaming(*values: tuple[Any, ...]) -> tuple[Stream, RayTask, threading.Event]:
    """A task that has said the first of `values`, and says the others when the event is set."""
    go_on = threading.Event()

    def said() -> Any:
        yield values[0]
        go_on.wait(10)
        yield from values[1:]

    stream = Stream(said(), {})
    task = RayTask(FakeRay(), lambda _: stream)
    work: Any = None
    task.carry_out(work)
    assert task.fetch().result(10) == values[0]
    return stream, task, go_on


def test_a_task_is_killed_while_it_works() -> None:
    stream, task, go_on = streaming(("first",), ("never",))
    last = task.fetch()
    task.kill()
    go_on.set()
    assert stream.cancelled == [True]
    with pytest.raises(WorkerGoneError, match="ended by the run"):
        last.result(10)


def test_a_task_that_is_interrupted_ends_by_itself() -> None:
    """Ray would abort the driver if it ended while it is cancelled by force."""
    stream, task, go_on = streaming(("first",), ("never",))
    last = task.fetch()
    task.stop()
    task.kill()
    go_on.set()
    assert stream.cancelled == [False]
    with pytest.raises(WorkerGoneError, match="ended by the run"):
        last.result(10)


def test_a_task_that_has_said_its_last_word_is_not_cancelled() -> None:
    stream, task, go_on = streaming((Ended(JobOutcome(None)),), ())
    task.kill()
    go_on.set()
    assert stream.cancelled == []
