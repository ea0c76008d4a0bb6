"""A model on a GPU that can be replaced by its like on the CPU in the middle of a video."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from core.errors import GPUMemoryError


class CpuFallback:
    """Looks like the model that it holds. Where a call fails for want of memory or of a kernel, the other one does it.

    Nothing is lost: a model keeps nothing from one call to the next. A dead device (DeadDeviceError) passes.
    """

    def __init__(
        self, model: object, replace: Callable[[Exception | None], object], obsolete: Callable[[], bool]
    ) -> None:
        """replace: gives the model to go on with; called once, with the error if there was one.

        obsolete: whether `model` is to be replaced even before it fails.
        """
        self._model = model
        self._replace = replace
        self._obsolete = obsolete
        self._replaced = False
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._model, name)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._replaced or not self._obsolete():
                model = self._model
                try:
                    return getattr(model, name)(*args, **kwargs)
                except (GPUMemoryError, RuntimeError) as error:
                    self._exchange(error)
                    if self._model is model:
                        raise
            else:
                self._exchange(None)
            # The error, which holds the memory of the call that failed, is gone by now.
            return getattr(self._model, name)(*args, **kwargs)

        return call

    def _exchange(self, error: Exception | None) -> None:
        with self._lock:
            if not self._replaced:
                self._model = self._replace(error)
                self._replaced = True
