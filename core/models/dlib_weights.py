"""Reads the weights of dlib's serialised face recognition network, without dlib.

dlib writes the layers from the input to the output: a name, followed, if the layer has parameters, by a tensor (version
2, four sizes, little-endian floats). An integer is a byte with its length in the low four bits, then that many bytes.
Reference: dlib/serialize.h and dlib/cuda/tensor.h of dlib 19.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError

_TENSOR_VERSION = b"\x01\x02"
_LAYERS = {b"con_4": 0, b"affine_": 0, b"fc_2": 5}
"""layers with parameters, and the number of bytes between the name and the tensor (for fc: its sizes)"""


def read_parameters(path: Path) -> list[tuple[str, NDArray[np.float32]]]:
    """("con", "affine" or "fc", parameters (P,) float32) of each layer that has parameters, from the input on.

    Raises:
        ModelError: it is no such file. Check its sha256 first: layers are found by their names, not parsed.
    """
    data = path.read_bytes()
    found: list[tuple[str, NDArray[np.float32]]] = []
    position = 0
    while True:
        hits = [(at, name) for name in _LAYERS if (at := data.find(name, position)) >= 0]
        if not hits:
            break
        at, name = min(hits)
        position = at + len(name) + _LAYERS[name]
        if data[position : position + 2] != _TENSOR_VERSION:
            continue
        position += 2
        count = 1
        for _ in range(4):
            size, position = _integer(data, position)
            count *= size
        if count <= 0 or position + 4 * count > len(data):
            raise ModelError("is not a network written by dlib", path=path, stage="models")
        found.append((name.decode().rstrip("_0123456789"), np.frombuffer(data, "<f4", count, position)))
        position += 4 * count
    return found


def _integer(data: bytes, position: int) -> tuple[int, int]:
    length = data[position] & 0x0F
    return int.from_bytes(data[position + 1 : position + 1 + length], "little"), position + 1 + length
