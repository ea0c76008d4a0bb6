"""Reading the parameters of dlib's serialised networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelError
from core.models.networks.dlib_weights import read_parameters
from core.models.networks.weights import locate


def integer(value: int) -> bytes:
    """As dlib writes one: a byte with the length, then the bytes."""
    data = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "little")
    return bytes([len(data)]) + data


def tensor(values: np.ndarray) -> bytes:
    sizes = b"".join(integer(size) for size in values.shape)
    return b"\x01\x02" + sizes + values.astype("<f4").tobytes()


def test_layers_come_in_the_order_of_the_file_with_their_numbers(tmp_path: Path) -> None:
    con = np.arange(600, dtype=np.float32).reshape(1, 300, 2, 1)  # 300 takes two bytes
    affine = np.array([1.5, -2.0], np.float32).reshape(2, 1, 1, 1)
    fc = np.full((3, 1, 1, 1), 7, np.float32)
    file = tmp_path / "net.dat"
    file.write_bytes(
        b"head" + b"con_4" + tensor(con) + b"relu_" + b"affine_" + tensor(affine) + b"fc_2" + b"12345" + tensor(fc)
    )
    found = read_parameters(file)
    assert [name for name, _ in found] == ["con", "affine", "fc"]
    for (_, values), expected in zip(found, (con, affine, fc), strict=True):
        assert np.array_equal(values, expected.ravel())


def test_a_name_without_a_tensor_is_not_a_layer(tmp_path: Path) -> None:
    file = tmp_path / "net.dat"
    file.write_bytes(b"con_4 is a word here; con_4" + tensor(np.ones((1, 1, 1, 2))))
    ((name, values),) = read_parameters(file)
    assert name == "con" and values.tolist() == [1, 1]


def test_a_tensor_longer_than_its_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "net.dat"
    file.write_bytes((b"con_4" + tensor(np.ones((1, 1, 1, 9))))[:-1])
    with pytest.raises(ModelError, match="not a network written by dlib") as error:
        read_parameters(file)
    assert error.value.path == file


def test_a_batch_normalisation_is_read_as_the_affine_layer_that_computes_the_same(tmp_path: Path) -> None:
    factor, offset = np.array([2.0, -1.0]), np.array([0.5, 3.0])
    mean, variance = np.array([10.0, -4.0]), np.array([4.0, 0.25])
    column = (2, 1, 1, 1)
    view = b"".join(map(integer, (1, 1, 2, 1, 1)))
    of_one_batch = tensor(np.full(column, 99.0))
    statistics = [tensor(values.reshape(column)) for values in (mean, variance)]
    parameters = tensor(np.concatenate([factor, offset]).reshape(4, 1, 1, 1))
    last = tensor(np.ones((1, 1, 1, 3)))
    file = tmp_path / "net.dat"
    file.write_bytes(
        b"bn_con2" + b"".join([parameters, view, view, of_one_batch, of_one_batch, *statistics]) + b"con_4" + last
    )
    (name, values), (next_name, _) = read_parameters(file)
    assert (name, next_name) == ("affine", "con")
    x = np.array([7.0, 7.0])
    assert values[:2] * x + values[2:] == pytest.approx(factor * (x - mean) / np.sqrt(variance) + offset, rel=1e-3)


def test_a_batch_normalisation_without_its_statistics_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "net.dat"
    file.write_bytes(b"bn_con2" + tensor(np.ones((4, 1, 1, 1))))
    with pytest.raises(ModelError, match="not a network written by dlib"):
        read_parameters(file)


@pytest.mark.slow
def test_the_real_network_has_its_29_convolutions_and_128_outputs() -> None:
    kinds: dict[str, list[int]] = {}
    for name, values in read_parameters(locate("dlib")):
        kinds.setdefault(name, []).append(len(values))
    assert len(kinds["con"]) == len(kinds["affine"]) == 29
    assert kinds["con"][0] == 32 * 3 * 7 * 7 + 32
    assert kinds["fc"] == [256 * 128]


@pytest.mark.slow
def test_the_real_detector_has_its_7_convolutions() -> None:
    kinds = [name for name, _ in read_parameters(locate("mmod"))]
    assert kinds == [*("con", "affine") * 6, "con"]
