"""Starting and joining a cluster of Ray: one clear line for everything that can be wrong with it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import SettingsError, ToolMissingError
from processors.cluster import ray_connection as module
from processors.cluster.ray_connection import open_ray
from tests.processors.cluster.ray_material import FakeRay

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
    return ray


def test_without_ray_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolMissingError) as caught:
        open_ray("local")
    assert str(caught.value) == (
        "--cluster needs the package ray, which is not installed (python -m pip install -r requirements-ray.txt)"
    )


@pytest.mark.parametrize(
    ("version", "is_taken"), [("2.49.2", False), ("2.50.0", True), ("3.0.0", True), ("odd", False)]
)
def test_an_old_ray_is_refused(monkeypatch: pytest.MonkeyPatch, version: str, is_taken: bool) -> None:
    ray = use(monkeypatch, FakeRay(version))
    if is_taken:
        open_ray("local").close()
        return
    with pytest.raises(ToolMissingError, match=rf"ray {version} is too old: at least 2\.50"):
        open_ray("local")
    assert ray.options == {}


def test_a_local_cluster_is_private_and_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = use(monkeypatch, FakeRay())
    tokens = set()
    for _ in range(2):
        open_ray("local").close()
        tokens.add(os.environ["RAY_AUTH_TOKEN"])
    assert len(tokens) == 2 and min(map(len, tokens)) == 64
    assert (os.environ["RAY_AUTH_MODE"], os.environ["RAY_USAGE_STATS_ENABLED"]) == ("token", "0")
    assert ("RAY_worker_niceness", "0") in os.environ.items(), "as fast as without Ray"
    assert ray.options["address"] == "local" and ray.options["include_dashboard"] is False
    assert not ray.is_connected


def test_a_local_cluster_leaves_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray = use(monkeypatch, FakeRay())
    monkeypatch.setattr(module, "LONGEST_TEMPORARY_FOLDER", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cluster = open_ray("local")
    assert Path(ray.options["_temp_dir"]).parent == tmp_path
    cluster.close()
    ray._error = RuntimeError("no memory")
    with pytest.raises(SettingsError, match="no cluster can be started on this machine: no memory"):
        open_ray("local")
    assert list(tmp_path.iterdir()) == []


def test_rays_handler_of_sigterm_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = use(monkeypatch, FakeRay())
    ours = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(ray, "init", lambda **_: signal.signal(signal.SIGTERM, signal.SIG_IGN))
    open_ray("local")
    assert signal.getsignal(signal.SIGTERM) is ours


def test_an_address_where_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = use(monkeypatch, FakeRay())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SettingsError, match=rf"^no cluster listens at 127\.0\.0\.1:{port} \(Connection refused\) \("):
        open_ray(f"127.0.0.1:{port}")
    with pytest.raises(SettingsError, match=r"^no cluster listens at 127\.0\.0\.1:99999 \("):
        open_ray("127.0.0.1:99999")
    assert ray.options == {}, "Ray would try for two minutes"


def test_a_host_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    use(monkeypatch, FakeRay())
    monkeypatch.setattr(socket, "create_connection", unknown)
    with pytest.raises(SettingsError, match=r"no cluster listens at nohost:1 \(Name or service not known\)"):
        open_ray("nohost:1")


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
        open_ray(listening)
    said = str(caught.value)
    assert line.replace("ADDRESS", listening) in said and "\n" not in said


def test_no_cluster_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeRay(error=ConnectionError("Could not find any running Ray instance.")))
    with pytest.raises(SettingsError, match=r"no cluster runs on this machine .*--cluster local"):
        open_ray("auto")


def test_rays_client_is_refused_also_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeRay())
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    with pytest.raises(SettingsError, match="ray://head:10001: Ray's client is not supported"):
        open_ray("auto")


def test_ray_itself_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeRay())
    open_ray("local")
    assert logging.getLogger("ray").level == logging.ERROR
