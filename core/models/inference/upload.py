"""Arrays on their way to a device, through two buffers of host memory in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

CHUNK_BYTES = 4 << 20
"""about so many bytes are copied at a time, at least one array: while one chunk travels, the next one is staged. At the
10 to 25 GB/s of PCIe 3 and 4 this takes 0.2 to 0.4 ms, against about 0.01 ms to begin a copy"""


class CopyEvent(Protocol):
    """What tells when a copy is done; `torch.cuda.Event` fits."""

    def record(self) -> None:
        """Mark the end of what the device has been told to do so far."""
        ...

    def synchronize(self) -> None:
        """Wait until the device has reached the mark; without one, return at once."""
        ...


class _CopiedAtOnce:
    """On a CPU a copy is done when the call returns."""

    def record(self) -> None:
        pass

    def synchronize(self) -> None:
        pass


class Upload:
    """Copies arrays to a device. For a GPU the buffers are pinned, so that it fetches them while the CPU goes on.

    Two chunks or two calls after each other use different buffers. A buffer is written again only once its event says
    that the copy from it is done. The buffers grow to the largest chunk. Not thread-safe.

    The last transfer may still be running when a call returns; what the device is told afterwards comes after it.

    Never run on a GPU.

    Attributes:
        device: where the tensors are.
        buffers: in the order in which they are used.
    """

    def __init__(self, device: torch.device, *, make_event: Callable[[], CopyEvent] | None = None) -> None:
        """make_event: for the two buffers; by default CUDA's on a GPU."""
        self.device = device
        if make_event is None:
            make_event = torch.cuda.Event if device.type == "cuda" else _CopiedAtOnce
        self.buffers = tuple(StagingBuffer(make_event(), pinned=device.type == "cuda") for _ in range(2))
        self._turn = 0

    def __call__(self, arrays: Sequence[NDArray[np.generic]] | NDArray[np.generic]) -> torch.Tensor:
        """Arrays of one shape and dtype as one tensor (N, ...) on the device.

        Raises:
            RuntimeError: the device failed or has no room, see `core.models.inference.torch_runtime.device_errors`.
        """
        first = arrays[0]
        kind = torch.from_numpy(np.zeros(0, first.dtype)).dtype
        there = torch.empty((len(arrays), *first.shape), dtype=kind, device=self.device)
        step = max(1, CHUNK_BYTES // max(1, first.nbytes))
        for begin in range(0, len(arrays), step):
            chunk = arrays[begin : begin + step]
            buffer = self.buffers[self._turn]
            self._turn = 1 - self._turn
            buffer.send(chunk, there[begin : begin + len(chunk)])
        return there


class StagingBuffer:
    """Host memory that holds one chunk, and the event of the copy from it.

    Attributes:
        memory: (bytes of the largest chunk so far,) uint8.
    """

    def __init__(self, event: CopyEvent, *, pinned: bool) -> None:
        self._event = event
        self._pinned = pinned
        self.memory = torch.empty(0, dtype=torch.uint8)

    def send(self, arrays: Sequence[NDArray[np.generic]] | NDArray[np.generic], target: torch.Tensor) -> None:
        """Stage the arrays and begin copying them to `target`, a contiguous (N, ...) tensor of their type."""
        self._event.synchronize()
        size = target.numel() * target.element_size()
        if self.memory.numel() < size:
            self.memory = torch.empty(0, dtype=torch.uint8)  # the old and the new one together may be too large
            self.memory = torch.empty(size, dtype=torch.uint8, pin_memory=self._pinned)
        staged = self.memory[:size].view(target.dtype).reshape(target.shape)
        host = staged.numpy()
        for row in range(len(arrays)):
            host[row] = arrays[row]
        target.copy_(staged, non_blocking=True)
        self._event.record()
