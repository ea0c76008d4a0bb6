"""The one way in which the program imports OpenVINO: without its telemetry.

Left to itself, `import openvino` tells Google Analytics about it: from a forked copy of this process, whatever the
settings say of networks. A copy of a process with threads may stand still for ever; then so does our exit, which waits
for it.
"""

from __future__ import annotations

import importlib
import sys
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
