"""Reads the ONNX files of OpenCV's model zoo whose weights are bytes in blocks (`..._int8bq.onnx`).

Each block of a row has a scale and a zero point. OpenVINO parses such files, but misreads blocks of a vector, so the
blocks are turned into numbers here, while it parses.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.models.networks.openvino_runtime import import_openvino, reading


def read_quantised(file: Path) -> Any:
    """The network in `file` with float32 weights, an `openvino.Model`. Check the file's sha256 first.

    Raises:
        ModelError: the file cannot be read.
    """
    return _read(file).clone()


@functools.lru_cache(maxsize=1)
def _read(file: Path) -> Any:
    """The network itself; reading one takes 25 ms, and it is compiled for several sizes."""
    onnx = import_openvino("frontend.onnx")
    with reading(file) as readers:
        frontend = readers.FrontEndManager().load_by_framework("onnx")
        frontend.add_extension(onnx.ConversionExtension("DequantizeLinear", _dequantized_node))
        return frontend.convert(frontend.load(str(file)))


def _dequantized_node(node: Any) -> Any:
    """What OpenVINO is to put in place of an operation DequantizeLinear: its result."""
    values, scales, zeros = (np.array(node.get_input(i).get_node().data) for i in range(3))
    axis, block = node.get_attribute("axis", 1), node.get_attribute("block_size", 0)
    return import_openvino("opset13").constant(dequantized(values, scales, zeros, axis, block)).outputs()


def dequantized(
    values: NDArray[np.int8], scales: NDArray[np.float32], zeros: NDArray[np.int8], axis: int, block: int
) -> NDArray[np.float32]:
    """(value - zero) * scale, float32 of the shape of `values`.

    scales, zeros: as `values`, but with one number for each `block` of elements along `axis` (ONNX, DequantizeLinear
    21).
    """
    length = values.shape[axis]

    def spread(numbers: NDArray[Any]) -> NDArray[np.float32]:
        wide = np.repeat(numbers.astype(np.float32), block, axis=axis)
        return np.asarray(np.take(wide, np.arange(length), axis=axis), np.float32)

    return (values.astype(np.float32) - spread(zeros)) * spread(scales)
