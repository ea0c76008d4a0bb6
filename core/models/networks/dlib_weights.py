"""Reads the weights of dlib's serialised networks, without dlib: face recognition and the MMOD face detector.

dlib writes the layers from the input to the output: a name, followed, if the layer has parameters, by a tensor (version
2, four sizes, little-endian floats). An integer is a byte with its length in the low four bits, then that many bytes.
Reference: dlib/serialize.h, dlib/dnn/tensor.h and dlib/dnn/layers.h of dlib 19.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError

_TENSOR_VERSION = b"\x01\x02"
_BATCH_NORMALISATION = b"bn_con2"
_LAYERS = {b"con_4": 0, b"affine_": 0, _BATCH_NORMALISATION: 0, b"fc_2": 5}
"""layers with parameters, and the number of bytes between the name and the tensor (for fc: its sizes)"""

_ALIAS_INTEGERS = 5
"""of an alias tensor, which is a version and four sizes: a view into the parameters"""

_EPSILON = 1e-4
"""added to variances: DEFAULT_BATCH_NORM_EPS of dlib, which nets of the program have kept"""


class _Reader:
    """Parses values of `data` one after the other."""

    def __init__(self, data: bytes, path: Path) -> None:
        self._data = data
        self._path = path
        self.position = 0

    def find_layer(self) -> str | None:
        """Go to the first tensor of the next layer with parameters; its name without numbers, None at the end."""
        while hits := [(at, name) for name in _LAYERS if (at := self._data.find(name, self.position)) >= 0]:
            at, name = min(hits)
            self.position = at + len(name) + _LAYERS[name]
            if self._data.startswith(_TENSOR_VERSION, self.position):
                return name.decode()
        return None

    def integer(self) -> int:
        length = self._data[self.position] & 0x0F if self.position < len(self._data) else 0
        begin = self.position + 1
        self.position = begin + length
        return int.from_bytes(self._data[begin : self.position], "little")

    def tensor(self) -> NDArray[np.float32]:
        """The numbers of the tensor that begins here, (P,).

        Raises:
            ModelError: there is none, or it ends after the file.
        """
        count = int(self._data.startswith(_TENSOR_VERSION, self.position))
        self.position += len(_TENSOR_VERSION)
        for _ in range(4):
            count *= self.integer()
        if count <= 0 or self.position + 4 * count > len(self._data):
            raise ModelError("is not a network written by dlib", path=self._path, stage="models")
        values = np.frombuffer(self._data, "<f4", count, self.position)
        self.position += 4 * count
        return values


def read_parameters(path: Path) -> list[tuple[str, NDArray[np.float32]]]:
    """("con", "affine" or "fc", parameters (P,) float32) of each layer that has parameters, from the input on.

    A batch normalisation, as networks have it that were stored while they were trained, becomes the affine layer (all
    factors, then all offsets) that computes the same with the statistics of the training.

    Raises:
        ModelError: it is no such file. Check its sha256 first: layers are found by their names, not parsed.
    """
    reader = _Reader(path.read_bytes(), path)
    found: list[tuple[str, NDArray[np.float32]]] = []
    while (name := reader.find_layer()) is not None:
        values = reader.tensor()
        if name == _BATCH_NORMALISATION.decode():
            found.append(("affine", _affine(values, reader)))
        else:
            found.append((name.rstrip("_0123456789"), values))
    return found


def _affine(parameters: NDArray[np.float32], reader: _Reader) -> NDArray[np.float32]:
    """parameters: of a batch normalisation, (2 * K,), factors and offsets; `reader` stands behind them."""
    for _ in range(2 * _ALIAS_INTEGERS):
        reader.integer()
    # Of the last batch, then of the whole training: means and what stands for the variances.
    _, _, mean, variance = (reader.tensor() for _ in range(4))
    factor, offset = np.split(parameters, 2)
    scale = factor / np.sqrt(variance + np.float32(_EPSILON))
    return np.concatenate([scale, offset - scale * mean])
