"""Which nodes take part, and how they are divided."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from core.errors import InterruptedRunError, SettingsError, WorkerGoneError
from core.settings_file import load_settings
from processors.cluster import cluster_nodes as module
from processors.cluster.cluster import ClusterNode
from processors.cluster.cluster_nodes import agreed_nodes, render_shares, worker_shares
from processors.cluster.node_check import MARKER_PREFIX, NodeQuestion, NodeReport
from processors.workers.worker_source import WorkerKind
from tests.processors.cluster.cluster_material import FakeCluster

OURS = NodeReport({"version": "1", "code": "aa"}, ())
NODES = [ClusterNode(name, name, 4, 0) for name in ("n1", "n2", "n3", "n4")]


@pytest.fixture(autouse=True)
def this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def examine(question: NodeQuestion) -> NodeReport:
        assert (question.output_dir / question.marker).is_file()
        return OURS

    monkeypatch.setattr(module, "examine_node", examine)


def agree(cluster: FakeCluster, folder: Path, stop: threading.Event | None = None) -> list[ClusterNode]:
    return agreed_nodes(cluster, Settings(), [folder / "a.mp4"], folder, stop or threading.Event())


def test_nodes_that_differ_are_named_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cluster = FakeCluster(NODES)
    cluster.reports = {
        "n1": OURS,
        "n2": NodeReport({"version": "2", "code": "aa"}, ("the disk of /x is full",)),
        "n3": WorkerGoneError("the program cannot be imported there"),
        "n4": OURS,
    }
    assert [node.id for node in agree(cluster, tmp_path)] == ["n1", "n4"]
    assert [record.getMessage() for record in caplog.records] == [
        "node n2 is left out: the disk of /x is full; version 2 (here 1)",
        "node n3 is left out: the program cannot be imported there",
    ]
    assert not list(tmp_path.glob(f"{MARKER_PREFIX}*"))


def test_a_run_does_not_begin_without_nodes(tmp_path: Path) -> None:
    cluster = FakeCluster(NODES[:1])
    cluster.reports = {"n1": NodeReport(OURS.terms, ("no /videos there",))}
    with pytest.raises(SettingsError, match="no node of the cluster can take part: no /videos there"):
        agree(cluster, tmp_path)
    with pytest.raises(SettingsError, match="it has no nodes"):
        agree(FakeCluster([]), tmp_path)


def test_a_node_that_does_not_answer_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "EXAMINE_TIMEOUT_S", 0.05)
    cluster = FakeCluster(NODES[:2])
    cluster.reports = {"n1": None, "n2": OURS}
    assert [node.id for node in agree(cluster, tmp_path)] == ["n2"]
    assert "node n1 is left out: no answer within" in caplog.text


def test_ctrl_c_ends_the_waiting(tmp_path: Path) -> None:
    cluster = FakeCluster(NODES[:1])
    cluster.reports = {"n1": None}
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError):
        agree(cluster, tmp_path, stop)


@pytest.mark.parametrize(
    ("cpus", "gpus", "run", "device", "shares"),
    [
        (16, 0, {}, "auto", [(4, 0)] * 4),
        (2, 0, {}, "auto", [(2, 0)]),
        (1, 0, {}, "auto", [(1, 0)]),
        (7, 0, {}, "auto", [(7, 0)]),
        (2, 0, {"workers": 2}, "auto", [(1, 0)] * 2),
        (2, 0, {"workers": 5}, "auto", [(1, 0)] * 2),
        (16, 0, {"threads": 2}, "auto", [(2, 0)] * 8),
        (2, 0, {"threads": 8}, "auto", [(2, 0)]),
        (16, 2, {}, "auto", [(8, 1)] * 2),
        (16, 2, {"workers": 1}, "auto", [(16, 1)]),
        (16, 2, {"workers": 4}, "auto", [(8, 1)] * 2),
        (16, 2, {}, "cpu", [(4, 0)] * 4),
        (1, 2, {}, "auto", [(1, 1)]),
    ],
)
def test_a_worker_for_each_gpu_or_for_every_few_cores(
    cpus: int, gpus: int, run: dict[str, int], device: str, shares: list[tuple[int, int]]
) -> None:
    settings = load_settings(None, {"run": run, "analysis": {"device": device}})
    found = worker_shares([ClusterNode("n1", "n1", cpus, gpus)], settings)
    assert [(share.cpus, share.gpus) for share in found] == shares


def test_workers_are_spread_over_the_nodes() -> None:
    nodes = [ClusterNode("small", "small", 4, 0), ClusterNode("large", "large", 16, 0)]
    found = worker_shares(nodes, Settings())
    assert [share.node.id for share in found] == ["large", "small", "large", "large", "large"]
    three = worker_shares(nodes, load_settings(None, {"run": {"workers": 3}}))
    assert [(share.node.id, share.cpus) for share in three] == [("large", 5)] * 3


@pytest.mark.parametrize(
    ("cpus", "gpus", "values", "reserved", "shares"),
    [
        (4, 0, {}, [2], [(4, 0, 2)]),
        (5, 0, {}, [2], [(5, 0, 3)]),
        (1, 0, {}, [0.5], [(1, 0, 0.5)]),
        (2, 0, {"run": {"workers": 2}}, [0.5] * 2, [(1, 0, 0.5)] * 2),
        (16, 0, {}, [2] * 4, [(4, 0, 2)] * 4),
        (16, 1, {}, [8], [(5, 0, 2)] * 3),
        (16, 2, {}, [4] * 2, [(8, 0, 4)] * 2),
        (16, 1, {"encode": {"codec": "nvenc"}}, [8], [(16, 0.4, 8)]),
    ],
)
def test_clips_are_made_on_the_cores_beside_the_workers(
    cpus: int, gpus: int, values: dict[str, Any], reserved: list[float], shares: list[tuple[int, float, float]]
) -> None:
    settings = load_settings(None, values)
    workers = worker_shares([ClusterNode("n1", "n1", cpus, gpus)], settings)
    found = render_shares(workers, settings)
    assert [worker.reserved for worker in workers] == reserved
    assert [(share.cpus, share.gpus, share.reserved) for share in found] == shares
    assert {share.kind for share in found} == {WorkerKind.CLIPS}
    assert {worker.kind for worker in workers} == {WorkerKind.VIDEOS}
    assert sum(share.reserved for share in (*workers, *found)) <= cpus
    assert sum(share.gpus for share in (*workers, *found)) <= gpus
