"""One network for images of many sizes."""

from __future__ import annotations

from typing import cast

import numpy as np

from core.models.inference.dynamic_shape_graph import MAX_SIZES, DynamicShapeGraph
from core.models.inference.openvino_graph import OpenVINOGraph
from core.types import FloatArray


def test_it_is_compiled_once_for_few_sizes_and_anew_for_too_many() -> None:
    compiled: list[int] = []

    def compile_graph() -> OpenVINOGraph:
        compiled.append(len(compiled))
        return cast(OpenVINOGraph, lambda planes: (planes.sum((1, 2, 3)),))

    def answer(width: int) -> FloatArray:
        return graph(np.ones((1, 3, 1, width), np.float32))[0]

    graph = DynamicShapeGraph(compile_graph)
    assert not compiled
    for _ in range(2):
        assert [answer(width)[0] for width in range(1, MAX_SIZES + 1)] == [3 * n for n in range(1, MAX_SIZES + 1)]
    assert len(compiled) == 1
    assert answer(MAX_SIZES + 1)[0] == 3 * (MAX_SIZES + 1) and len(compiled) == 2
    assert answer(1)[0] == 3 and len(compiled) == 2
