"""A model on a GPU that is replaced by the same model on the CPU if it fails in the middle of a video."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from core.errors import GPUMemoryError


class CpuFallback:
    """Behaves like the model that it wraps. A call that fails for lack of memory or of a kernel is repeated on the CPU.

    Models keep no state between calls, so nothing is lost. DeadDeviceError is passed on.
    """

    def __init__(
        self, model: object, replace: Callable[[Exception | None], object], obsolete: Callable[[], bool]
    ) -> None:
        """replace: returns the model to continue with; called once, with the error if there was one.

        obsolete: whether `model` must be replaced even though it has not failed.
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
                    self._switch(error)
                    if self._model is model:
                        raise
            else:
                self._switch(None)
            # Outside of the except block, because the error keeps the memory of the failed call alive.
            return getattr(self._model, name)(*args, **kwargs)

        return call

    def _switch(self, error: Exception | None) -> None:
        with self._lock:
            if not self._replaced:
                self._model = self._replace(error)
                self._replaced = True
