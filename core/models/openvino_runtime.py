"""The one way in which the program uses OpenVINO: without its telemetry, and with signals left alone.

Left to itself, `import openvino` tells Google Analytics about it: from a forked copy of this process, whatever the
settings say of networks. A copy of a process with threads may stand still for ever; then so does our exit, which waits
for it.
"""

from __future__ import annotations

import functools
import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_TELEMETRY, _CONVERTER = "openvino_telemetry", "openvino.tools.ovc"
"""OpenVINO does without both where they are not there"""


def import_openvino(*, converter: bool = False) -> Any:
    """The module `openvino`. converter: with what it converts networks by, which takes a third of its time to import.

    Raises:
        ImportError: it is not installed.
    """
    for unwanted in (_TELEMETRY,) if converter else (_TELEMETRY, _CONVERTER):
        # None stands for a module that cannot be imported.
        sys.modules.setdefault(unwanted, None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


@functools.cache
def openvino_core() -> Any:
    """The process's one `openvino.Core`, with the CPU plugin loaded.

    Loading it gives the loading thread another stack for signals (for AMX, whose registers need a large one), and
    destroying it frees that stack, on whichever thread. If the loader was the main thread, which handles Ctrl-C, the
    next one would then crash the process. So a thread loads it that ends at once, and it is never destroyed.

    Raises:
        ImportError: OpenVINO is not installed.
        RuntimeError: it does not work here.
    """
    openvino = import_openvino()

    def load() -> Any:
        core = openvino.Core()
        core.get_property("CPU", "FULL_DEVICE_NAME")
        return core

    with ThreadPoolExecutor(1, thread_name_prefix="OpenVINO loader") as loader:
        return loader.submit(load).result()
