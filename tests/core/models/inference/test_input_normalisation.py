"""Normalising images outside of a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.models.inference.input_normalisation import normalised, remove_normalisation
from core.models.networks.openvino_runtime import import_openvino, openvino_core
from core.types import FloatArray


def network(scale: float = 1 / 128, offset: float = -127.5 / 128, *, reads_twice: bool = False) -> Any:
    """The largest x * scale + offset of each colour of an image; reads_twice: with that of the image itself added."""
    op = import_openvino("opset13")
    image = op.parameter([-1, -1, -1, 3], np.float32)
    planes = op.transpose(image, np.array([0, 3, 1, 2]))
    shown = op.add(op.multiply(planes, np.float32(scale)), np.float32(offset))
    largest = op.reduce_max(shown, np.array([2, 3]))
    if reads_twice:
        largest = op.add(largest, op.reduce_max(image, np.array([1, 2])))
    return import_openvino().Model([largest], [image])


def answer(model: Any, images: FloatArray) -> FloatArray:
    request = openvino_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    request.infer([images])
    return np.array(request.get_output_tensor(0).data)


def test_it_is_x_less_127_5_by_128() -> None:
    levels = np.array([0, 127, 128, 255], np.uint8).reshape(1, 2, 2, 1)
    shown = normalised(levels)
    assert shown.dtype == np.float32 and np.allclose(shown.ravel(), [-0.99609375, -0.00390625, 0.00390625, 0.99609375])
    swapped = normalised(levels.transpose(0, 2, 1, 3))
    assert swapped.flags.c_contiguous and np.array_equal(swapped, shown.transpose(0, 2, 1, 3))


def test_outside_of_a_network_it_gives_the_same() -> None:
    images = np.random.RandomState(0).uniform(0, 255, (2, 5, 7, 3)).astype(np.float32)
    before = answer(network(), images)
    without = network()
    assert remove_normalisation(without)
    assert np.array_equal(answer(without, normalised(images)), before)


@pytest.mark.parametrize(
    "other", [{"scale": 1 / 255}, {"offset": -1.0}, {"reads_twice": True}], ids=["scale", "offset", "reads it twice"]
)
def test_networks_that_do_something_else_are_left_alone(other: dict[str, Any]) -> None:
    images = np.ones((1, 2, 2, 3), np.float32)
    model = network(**other)
    before = answer(network(**other), images)
    assert not remove_normalisation(model)
    assert np.array_equal(answer(model, images), before)
