"""Starts or joins a cluster of Ray. Only this module imports Ray; whatever goes wrong becomes an error of one line."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import SettingsError, ToolMissingError
from core.thread_budget import available_cpus
from utils.console.printable_text import ascii_safe

LOCAL = "local"
AUTO = "auto"
OLDEST_RAY = (2, 50)
INSTALL = "python -m pip install -r requirements-ray.txt"

_CONNECT_TIMEOUT_S = 5.0
_OBJECT_STORE_BYTES = 80 * 2**20
"""of a local cluster: about the least that Ray takes; what travels is a few kB per message"""
LONGEST_TEMPORARY_FOLDER = 16
"""Ray adds 70 characters to it, and the address of a socket has 107 at most"""
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_FAILURE_SIGNAL_HANDLER": "1"}
"""Ray reports nothing about its use, and prints no trace when this program is asked to end by SIGTERM"""
_EAGER = {"RAY_worker_niceness": "0"}
"""otherwise Ray's workers give way to every other program, with a niceness of 15"""
_IMPATIENT = {
    "RAY_NUM_REDIS_GET_RETRIES": "1",
    "RAY_py_gcs_connect_timeout_s": "5",
    "RAY_gcs_rpc_server_connect_timeout_s": "2",
}
"""Where something other than Ray listens, Ray tries for two minutes; with these for 10 s (measured with 2.60)"""


def require_ray() -> None:
    """Raise ToolMissingError if Ray is not installed; imports nothing."""
    if importlib.util.find_spec("ray") is None:
        raise ToolMissingError("--cluster needs the package ray, which is not installed", hint=INSTALL)


@dataclass(frozen=True, slots=True)
class RayConnection:
    """ray: the module, connected. own_folder: of the logs and sockets of a local cluster; removed in the end."""

    ray: Any
    own_folder: str | None = None

    def node_affinity(self, node_id: str) -> Any:
        """The scheduling strategy of what has to run on that node."""
        strategies = importlib.import_module("ray.util.scheduling_strategies")
        return strategies.NodeAffinitySchedulingStrategy(node_id, soft=False)

    def close(self) -> None:
        """Leave the cluster; a local one ends."""
        self.ray.shutdown()
        _remove(self.own_folder)


def open_ray(address: str) -> RayConnection:
    """Start a cluster on this machine ("local"), or join the one at `address` ("auto": the one of this machine).

    Has to be called on a thread that lives as long as the cluster.

    Raises:
        ToolMissingError: Ray is missing, broken or too old.
        SettingsError: there is no cluster, or another version of Ray or Python is used there.
    """
    require_ray()
    os.environ.update(_QUIET)
    if address == LOCAL:
        # For this cluster only: without the token, nothing can be run in it.
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
        os.environ.update(_EAGER)
    else:
        address = _address_of(address)
        os.environ.update(_IMPATIENT)
    ray = _import_ray()
    options: dict[str, Any] = {"address": address}
    own_folder = _own_folder() if address == LOCAL else None
    if own_folder is not None:
        options["_temp_dir"] = own_folder
    if address == LOCAL:
        options |= {
            "num_cpus": available_cpus(),
            "object_store_memory": _OBJECT_STORE_BYTES,
            "include_dashboard": False,
        }
    try:
        with _own_signal_handlers():
            ray.init(**options, log_to_driver=False, configure_logging=False, logging_level=logging.ERROR)
    except Exception as error:
        _remove(own_folder)
        raise SettingsError(_why_not_connected(address, error)) from error
    return RayConnection(ray, own_folder)


def _address_of(address: str) -> str:
    """`address` as Ray wants it, if something listens there.

    Raises:
        SettingsError: nothing does, or it is the address of Ray's client.
    """
    if address == AUTO:
        address = os.environ.get("RAY_ADDRESS", AUTO)
    if "://" in address:
        hint = "run the program on a node of the cluster, with HOST:PORT or auto"
        raise SettingsError(f"{ascii_safe(address)}: Ray's client is not supported", hint=hint)
    if address == AUTO:
        return address
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _CONNECT_TIMEOUT_S):
            return address
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "ray start --head --port=6379 starts a cluster"
        raise SettingsError(f"no cluster listens at {ascii_safe(address)} ({reason})", hint=hint) from error


def _own_folder() -> str | None:
    """A folder for a local cluster; None where the path would be too long for its sockets."""
    if len(tempfile.gettempdir()) > LONGEST_TEMPORARY_FOLDER:
        return None
    return tempfile.mkdtemp(prefix="ray-")


def _remove(folder: str | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _import_ray() -> Any:
    try:
        ray = importlib.import_module("ray")
    except Exception as error:
        raise ToolMissingError(f"the package ray cannot be loaded: {error}", hint=INSTALL) from error
    version = re.match(r"(\d+)\.(\d+)", ray.__version__)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_RAY:
        oldest = ".".join(map(str, OLDEST_RAY))
        raise ToolMissingError(f"ray {ray.__version__} is too old: at least {oldest} is needed", hint=INSTALL)
    logging.getLogger("ray").setLevel(logging.ERROR)
    return ray


def _why_not_connected(address: str, error: Exception) -> str:
    text = str(error)
    if "Version mismatch" in text:
        versions = re.findall(r"(Ray|Python): (\S+)", text)
        if len(versions) == 4:
            theirs, ours = (" and ".join(f"{name} {version}" for name, version in versions[i : i + 2]) for i in (0, 2))
            return f"the cluster at {address} runs {theirs}, this machine {ours}: both must be the same"
    if address == AUTO and isinstance(error, ConnectionError):
        return "no cluster runs on this machine (ray start --head starts one; --cluster local makes one for the run)"
    if isinstance(error, ConnectionError) or "uthentication" in type(error).__name__:
        token = "RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token"
        return f"what listens at {address} is no Ray cluster, or it takes another token than that of {token}"
    first = ascii_safe(text.strip().splitlines()[0]) if text.strip() else type(error).__name__
    if address == LOCAL:
        return f"no cluster can be started on this machine: {first}"
    return f"the cluster at {address} cannot be used: {first}"


@contextlib.contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Keep this program's answer to SIGTERM, which Ray replaces where it is called on the main thread."""
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
