"""A network with any number of inputs, read from a file of any format that OpenVINO knows, on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.models.networks.openvino_runtime import import_openvino, openvino_core
from core.types import FloatArray


class OpenVINOGraph:
    """Arrays in, float32 arrays out, in the file's order of inputs and outputs. Not safe for use by several threads."""

    def __init__(
        self,
        model_file: Path,
        *,
        threads: int = 1,
        shapes: Mapping[int, Sequence[int]] | None = None,
        read: Callable[[Path], Any] | None = None,
    ) -> None:
        """model_file: .xml, .onnx or .tflite, already verified. threads: 0 = as many as the machine has.

        shapes: shapes to give to inputs, by their number, where the file's are not the wanted ones; -1 = any length.
        read: gives an `openvino.Model` of files that OpenVINO's own reader does not read rightly.

        Raises:
            ModelError: OpenVINO cannot read the file.
        """
        config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        openvino = import_openvino()
        self._tensor = openvino.Tensor
        try:
            model = (read or openvino_core().read_model)(model_file)
            if shapes:
                wanted = {model.inputs[i]: openvino.PartialShape(list(shape)) for i, shape in shapes.items()}
                model.reshape(wanted)
            self._compiled = openvino_core().compile_model(model, "CPU", config)
        except RuntimeError as error:
            raise ModelError(
                "cannot be read by OpenVINO", path=model_file, stage="models", hint="reinstall its package"
            ) from error
        self._outputs = len(self._compiled.outputs)
        self._request: Any = self._compiled.create_infer_request()

    def __call__(self, *inputs: NDArray[Any]) -> tuple[FloatArray, ...]:
        """inputs: one array per input of the network; they become float32."""
        # The tensors borrow the arrays' memory: the list keeps it alive until the network has read it.
        # It takes none that is read-only.
        arrays = [np.require(array, np.float32, ["C", "W"]) for array in inputs]
        for i, array in enumerate(arrays):
            self._request.set_input_tensor(i, self._tensor(array, shared_memory=True))
        self._request.infer()
        # The request's buffers are overwritten by the next call.
        return tuple(np.array(self._request.get_output_tensor(i).data, np.float32) for i in range(self._outputs))
