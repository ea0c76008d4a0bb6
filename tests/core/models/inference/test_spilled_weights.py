"""Large constants of networks in a temporary file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.models.inference.spilled_weights import SpilledWeights
from core.models.networks.openvino_runtime import import_openvino, openvino_core
from core.types import FloatArray

ROWS, COLUMNS = 8, 4096
MIN_BYTES = 4 * ROWS * COLUMNS


def network(factor_shape: tuple[int, ...] = (1, ROWS)) -> Any:
    """x @ weights.T * factors + offsets, as a linear layer and its normalisation are converted."""
    op, random = import_openvino("opset13"), np.random.RandomState(0)
    image = op.parameter([-1, COLUMNS], np.float32)
    weights = random.standard_normal((ROWS, COLUMNS)).astype(np.float32)
    product = op.matmul(image, op.constant(weights), transpose_a=False, transpose_b=True)
    factors = random.standard_normal(factor_shape).astype(np.float32)
    shifted = op.add(op.multiply(product, op.constant(factors)), np.float32(3))
    return import_openvino().Model([shifted], [image])


def compiled(model: Any) -> Any:
    return openvino_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()


def answer(request: Any, rows: int) -> FloatArray:
    request.infer([np.random.RandomState(rows).standard_normal((rows, COLUMNS)).astype(np.float32)])
    return np.array(request.get_output_tensor(0).data)


def kinds(model: Any) -> list[str]:
    return [node.get_type_name() for node in model.get_ordered_ops()]


def test_results_are_the_same_for_every_shape_after_the_pages_were_dropped() -> None:
    before, model = compiled(network()), network()
    weights = SpilledWeights(model, MIN_BYTES)
    request = compiled(model)
    del model
    for rows in (1, 3, 1, 2):
        assert np.array_equal(answer(request, rows), answer(before, rows))
        weights.drop_pages((rows, COLUMNS))
    assert np.array_equal(answer(request, 5), answer(before, 5))


@pytest.mark.parametrize("factor_shape, has_factors", [((1, ROWS), False), ((ROWS,), False), ((1, 1), True)])
def test_factors_of_the_outputs_become_part_of_the_matrix(factor_shape: tuple[int, ...], has_factors: bool) -> None:
    model = network(factor_shape)
    SpilledWeights(model, MIN_BYTES)
    assert ("Multiply" in kinds(model)) == has_factors
    assert np.array_equal(answer(compiled(model), 2), answer(compiled(network(factor_shape)), 2))


def test_small_constants_are_left_alone() -> None:
    model = network()
    SpilledWeights(model, MIN_BYTES + 1)
    assert kinds(model) == kinds(network())


def test_without_a_temporary_file_the_network_is_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    model = network()
    weights = SpilledWeights(model, MIN_BYTES)
    assert kinds(model) == kinds(network())
    request = compiled(model)
    assert np.array_equal(answer(request, 2), answer(compiled(network()), 2))
    weights.drop_pages((2, COLUMNS))
