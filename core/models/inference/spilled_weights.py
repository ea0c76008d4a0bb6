"""Keeps the large constants of a network in a temporary file once OpenVINO has packed them for the CPU.

OpenVINO keeps every constant of a compiled network beside its packed copies: 36 MiB for SFace. It reads it again only
to pack it once more, for a shape of input that it has not met. So the constants are mapped from a file without a name,
and their pages are dropped when they have been packed: a later read finds the same bytes in the file.
"""

from __future__ import annotations

import itertools
import logging
import mmap
import tempfile
from typing import Any

import numpy as np

from core.models.networks.openvino_runtime import import_openvino
from core.types import FloatArray

logger = logging.getLogger(__name__)

MIN_BYTES = 2**20
"""Smaller constants stay in memory: of SFace's 38 MB, those from here on are 36."""


class SpilledWeights:
    """The mapped constants of one network; they exist as long as this, or the network, does."""

    def __init__(self, model: Any, min_bytes: int = MIN_BYTES) -> None:
        """Move the constants of `model`, an `openvino.Model`, to a temporary file; results stay the same to the bit.

        Where no file can be written, or pages cannot be dropped (Windows), the constants stay in memory.
        """
        self._map: mmap.mmap | None = None
        self._shapes: set[tuple[int, ...]] = set()
        large = [node for node in model.get_ordered_ops() if _is_large(node, min_bytes)]
        if not large or not hasattr(mmap, "MADV_DONTNEED"):
            return
        try:
            self._move(model, large)
        except OSError as error:
            logger.debug("weights stay in memory: no temporary file in %s: %s", tempfile.gettempdir(), error)

    def drop_pages(self, shape: tuple[int, ...]) -> None:
        """Give the memory of the constants back, if the network has just run on the first input of this shape."""
        if self._map is not None and shape not in self._shapes:
            self._shapes.add(shape)
            self._map.madvise(mmap.MADV_DONTNEED)

    def _move(self, model: Any, large: list[Any]) -> None:
        op = import_openvino("opset13")
        pages = [-(-node.data.nbytes // mmap.PAGESIZE) for node in large]
        begins = [mmap.PAGESIZE * page for page in itertools.accumulate(pages, initial=0)]
        products = [_factor_of(node) for node in large]
        with tempfile.TemporaryFile() as file:
            for node, product, begin in zip(large, products, begins, strict=False):
                file.seek(begin)
                file.write(np.ascontiguousarray(node.data if product is None else node.data * product[1]).data)
            file.truncate(begins[-1])
            # Private, because OpenVINO takes no arrays that are read-only; nobody writes to it.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        for node, product, begin in zip(large, products, begins, strict=False):
            count = node.data.size
            array = np.frombuffer(mapped, node.data.dtype, count, begin).reshape(node.data.shape)
            constant = op.constant(array, shared_memory=True)
            _replace(node.output(0), constant.output(0))
            if product is not None:
                _replace(product[0].output(0), product[0].input_value(0))
        model.validate_nodes_and_infer_types()
        self._map = mapped


def _is_large(node: Any, min_bytes: int) -> bool:
    return bool(node.get_type_name() == "Constant" and node.data.nbytes >= min_bytes)


def _factor_of(weights: Any) -> tuple[Any, FloatArray] | None:
    """The node that multiplies the product with the matrix `weights` by constants, and these as a column; else None.

    Compiling would multiply the matrix by them and keep that, too, beside the packed copy.
    """
    product = _only_reader(weights.output(0))
    if product is None or product.get_type_name() != "MatMul" or not product.get_attributes()["transpose_b"]:
        return None
    if weights.data.ndim != 2 or weights.data.dtype != np.float32:
        return None
    scaled = _only_reader(product.output(0))
    if scaled is None or scaled.get_type_name() != "Multiply":
        return None
    factors = scaled.input_value(1).get_node()
    rows = weights.data.shape[0]
    if factors.get_type_name() != "Constant" or factors.data.shape not in ((1, rows), (rows,)):
        return None
    return scaled, np.array(factors.data, np.float32).reshape(rows, 1)


def _only_reader(output: Any) -> Any:
    readers = list(output.get_target_inputs())
    return readers[0].get_node() if len(readers) == 1 else None


def _replace(output: Any, other: Any) -> None:
    for reader in list(output.get_target_inputs()):
        reader.replace_source_output(other)
