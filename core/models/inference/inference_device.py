"""The device that runs the networks: a GPU as long as it works, else the CPU."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Literal, TypeVar, cast

from core.errors import DeadDeviceError, GPUMemoryError, ModelError, PipelineError
from core.models.inference.cpu_fallback import CpuFallback
from core.models.inference.gpu_check import why_no_gpu

logger = logging.getLogger(__name__)

GPU_DEVICE = "cuda:0"
CPU_DEVICE = "cpu"

_Model = TypeVar("_Model")


class InferenceDevice:
    """Starts with a GPU if one is wanted and works, and changes to the CPU, for good, when it fails.

    Attributes:
        name: torch's name of the device: "cpu" or "cuda:0".
        why_cpu: why it is not a GPU, for people; "" as long as it is one.
    """

    def __init__(
        self, wanted: Literal["auto", "cpu", "cuda"], lock: threading.RLock, forget_models: Callable[[], None]
    ) -> None:
        """lock: held while the device changes. forget_models: called then, to drop what was loaded for the GPU.

        Raises:
            ModelError: a GPU is demanded and there is none that works.
        """
        self._wanted = wanted
        self._lock = lock
        self._forget_models = forget_models
        self.why_cpu = "not wanted (--device cpu)" if wanted == "cpu" else why_no_gpu()
        if wanted == "cuda" and self.why_cpu:
            raise ModelError(f"no usable GPU: {self.why_cpu}", stage="models", hint="--device cpu")
        self.name = CPU_DEVICE if self.why_cpu else GPU_DEVICE
        if not self.is_cpu:
            self._try()

    @property
    def is_cpu(self) -> bool:
        """Whether networks run on the CPU."""
        return self.name == CPU_DEVICE

    def load(self, load: Callable[[], _Model], load_on_cpu: Callable[[], _Model]) -> _Model:
        """The model of `load` on the GPU as long as that works, else the one of `load_on_cpu`.

        Raises:
            ModelError: loading it fails, and a GPU is demanded.
            DeadDeviceError: raised by calls of the model, whatever device is wanted: a new process has to take over.
        """
        if self.is_cpu:
            return load()
        try:
            model = load()
        except (GPUMemoryError, DeadDeviceError, RuntimeError) as error:
            self._leave_gpu(error)
        else:
            if self._wanted != "auto":
                return model

            def on_cpu(error: Exception | None) -> _Model:
                with self._lock:
                    if error is not None and not self.is_cpu:
                        self._leave_gpu(error)
                return load_on_cpu()

            return cast("_Model", CpuFallback(model, on_cpu, lambda: self.is_cpu))
        # Outside of the except block, because the error keeps memory alive.
        return load()

    def _try(self) -> None:
        from core.models.inference.torch_runtime import try_device

        try:
            try_device(self.name)
        except RuntimeError as error:
            self._leave_gpu(error)

    def _leave_gpu(self, error: Exception) -> None:
        """Continue on the CPU, or raise ModelError if a GPU is demanded."""
        from core.models.inference.torch_runtime import first_line, free_memory

        reason = error.message if isinstance(error, PipelineError) else first_line(error)
        if self._wanted == "cuda":
            raise ModelError(f"the GPU does not work: {reason}", stage="models", hint="--device cpu") from error
        logger.warning("the GPU does not work, so the CPU is used: %s", reason)
        self.name, self.why_cpu = CPU_DEVICE, f"does not work: {reason}"
        self._forget_models()
        free_memory()
