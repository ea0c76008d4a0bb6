"""OpenVINO without its side effects."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock, PropertyMock

import pytest

from core.models.networks import openvino_runtime
from core.models.networks.openvino_runtime import openvino_core
from tests.test_layering import imports, program_files

SCRIPT = """
import os, sys, threading
from core.models.networks.openvino_runtime import import_openvino
forks = []
os.register_at_fork(before=lambda: forks.append(1))
openvino = import_openvino(converter={converter})
assert openvino.Core().available_devices
assert {converter} == hasattr(openvino, "convert_model")
print(threading.active_count(), len(forks), sorted(name for name, module in sys.modules.items() if module))
"""


@pytest.mark.parametrize("converter", [False, True])
def test_importing_it_starts_nothing_and_leaves_nothing(converter: bool, tmp_path: Path, project: Path) -> None:
    """It would keep a number for this machine in ~/intel and send it from a forked copy of the process."""
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(converter=converter)],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, forks, modules = done.stdout.split(" ", 2)
    assert (count, forks) == ("1", "0")
    assert "openvino_telemetry" not in modules
    assert list(tmp_path.iterdir()) == []


def test_a_first_tensor_is_read_before_threads_share_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen once on a busy machine: two threads read their first results at once, and both waited for ever."""
    openvino = MagicMock()
    data = PropertyMock()
    type(openvino.Tensor.return_value).data = data
    monkeypatch.setattr(openvino_runtime, "import_openvino", lambda: openvino)
    assert openvino_core.__wrapped__() is openvino.Core.return_value
    assert data.called


SIGNAL_STACK = """
import ctypes
from core.models.networks.openvino_runtime import openvino_core

class Stack(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

def signal_stack():
    stack = Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack)) == 0
    return stack.start, stack.size

before = signal_stack()
core = openvino_core()
assert core.get_property("CPU", "FULL_DEVICE_NAME")
assert core is openvino_core()
assert signal_stack() == before, (before, signal_stack())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="OpenVINO changes it on Linux only")
def test_the_main_thread_keeps_its_stack_for_signals(project: Path) -> None:
    """Freed with a network, on another thread, it would crash the process at the next Ctrl-C."""
    done = subprocess.run(
        [sys.executable, "-c", SIGNAL_STACK], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_networks_are_not_mapped_from_their_files() -> None:
    """The mapped weights would stay beside the packed ones, and a file that is cut short would end the process."""
    assert not openvino_core().get_property("ENABLE_MMAP")


@pytest.mark.slow
def test_nobody_imports_it_in_another_way(project: Path) -> None:
    found = {file: imports((project / file).read_text(encoding="utf-8"), file) for file in program_files(project)}
    importers = [file for file, names in found.items() if "openvino" in {name.partition(".")[0] for name in names}]
    assert importers == [Path("core/models/networks/openvino_runtime.py")]
