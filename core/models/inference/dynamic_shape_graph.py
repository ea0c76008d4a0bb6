"""An OpenVINO network that takes images of any size: compiled once, ahead of its first use, and shared."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from core.models.inference.openvino_graph import OpenVINOGraph
from core.types import FloatArray
from utils.processes.work_ahead import MadeOnce, make_ahead

MAX_SIZES = 16
"""For each size of its input OpenVINO prepares itself in about 20 ms and keeps 0.3 to 4 MB (YuNet). With one more size
than this it is compiled anew, so that a long run over videos of many shapes does not grow."""


class DynamicShapeGraph:
    """One image in, float32 arrays out. Any number of threads may call it; they take turns."""

    def __init__(self, compile_graph: Callable[[], OpenVINOGraph]) -> None:
        """compile_graph: makes the network, whose input has free sizes."""
        self._compile = compile_graph
        self._graph = MadeOnce(compile_graph)
        self._sizes: set[tuple[int, ...]] = set()
        self._running = threading.Lock()

    def compile_ahead(self) -> None:
        """Compile it on a helper thread; does not wait."""
        make_ahead(self._graph, name="networks")

    def __call__(self, planes: NDArray[Any]) -> tuple[FloatArray, ...]:
        """As the network's call; raises what compiling it raises, too. planes: (1, 3, h, w)."""
        with self._running:
            if planes.shape not in self._sizes and len(self._sizes) == MAX_SIZES:
                self._graph, self._sizes = MadeOnce(self._compile), set()
            self._sizes.add(planes.shape)
            return self._graph.get()(planes)
