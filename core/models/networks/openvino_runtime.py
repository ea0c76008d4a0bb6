"""The only place that imports OpenVINO: without its telemetry, and without a change to signal handling.

By default, `import openvino` reports to Google Analytics, even with `--offline`, and does so from a fork of this
process. A fork of a process with threads may hang for ever, and then our exit, which waits for it, hangs as well.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from core.errors import ModelError

_TELEMETRY, _CONVERTER = "openvino_telemetry", "openvino.tools.ovc"
"""optional modules of OpenVINO"""
_READING_FAILURES = (
    "GeneralFailure", "InitializationFailure", "NotImplementedFailure", "OpConversionFailure", "OpValidationFailure"
)  # fmt: skip
"""of OpenVINO's readers; they are no RuntimeErrors"""


def import_openvino(part: str = "", *, converter: bool = False) -> Any:
    """The module `openvino`, or that part of it. converter: with its converter, which takes a third of the import time.

    Raises:
        ImportError: it is not installed.
    """
    for unwanted in (_TELEMETRY,) if converter else (_TELEMETRY, _CONVERTER):
        # None makes an import of the module fail.
        sys.modules.setdefault(unwanted, None)  # type: ignore[arg-type]
    whole = importlib.import_module("openvino")
    return importlib.import_module(f"openvino.{part}") if part else whole


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Any]:
    """While OpenVINO's readers, which this gives (`openvino.frontend`), read the network file `path`.

    Raises:
        ModelError: they cannot.
    """
    frontend = import_openvino().frontend
    failures = tuple(getattr(frontend, name) for name in _READING_FAILURES)
    try:
        yield frontend
    except (RuntimeError, *failures) as error:
        raise ModelError(
            "cannot be read by OpenVINO", path=path, stage="models", hint="reinstall its package"
        ) from error


@functools.cache
def openvino_core() -> Any:
    """The process's one `openvino.Core`, with the CPU plugin loaded.

    Loading it gives the loading thread another signal stack (AMX registers need a large one), and destroying it frees
    that stack, on whichever thread. If the main thread, which handles Ctrl-C, had loaded it, the next Ctrl-C would then
    crash the process. So it is loaded on a thread that ends at once, and never destroyed.

    Networks are read into memory, not mapped from their files: OpenVINO packs the weights for the CPU, and what it has
    packed can then be freed (24 MB of SFace's 38). Nor does a file that is cut short meanwhile end the process.

    The first tensor whose numbers are read makes OpenVINO look up NumPy's C interface, once in a process. It lets go of
    Python's lock meanwhile, and whoever comes second keeps that lock and waits: if two threads read their first
    results at the same moment, both wait for ever. So a first tensor is read here.

    Raises:
        ImportError: OpenVINO is not installed.
        RuntimeError: it does not work here.
    """
    openvino = import_openvino()

    def load() -> Any:
        core = openvino.Core()
        core.get_property("CPU", "FULL_DEVICE_NAME")
        core.set_property({"ENABLE_MMAP": False})
        _ = openvino.Tensor(openvino.Type.f32, openvino.Shape([1])).data
        return core

    with ThreadPoolExecutor(1, thread_name_prefix="OpenVINO loader") as loader:
        return loader.submit(load).result()
