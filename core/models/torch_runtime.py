"""Networks and images on a torch device. Only imported where torch runs the networks; nothing here needs a GPU.

What is done on a GPU is done on any device that is named, so that tests can run it on the CPU. Images go there as
bytes, through host memory that is pinned and used again, and become floats there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import DeadDeviceError, GPUMemoryError, ascii_safe
from core.models import torch_nets
from core.models.nets import Images
from core.types import ByteArray, FloatArray
from utils.area_sampling import whole_pixels

_SHORT_OF_MEMORY = (
    "out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUSOLVER_STATUS_ALLOC_FAILED",
    "cudaErrorMemoryAllocation",
    # cuDNN 9
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
    # What is left of a GPU too full for a library's handle or for any algorithm's workspace.
    "CUDNN_STATUS_NOT_INITIALIZED",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "unable to find an engine to execute this computation",
)
"""texts of the RuntimeErrors in which CUDA and its libraries say that memory is short"""


_DEAD = (
    "illegal memory access",
    "illegal instruction",
    "misaligned address",
    "operation not supported on global/shared address space",
    "invalid program counter",
    "hardware stack error",
    "device-side assert",
    "unspecified launch failure",
    "launch timed out",
    "uncorrectable ECC error",
    "uncorrectable NVLink error",
    "context is destroyed",
    "driver shutting down",
    "no CUDA-capable device",
    "busy or unavailable",
    "GPU is lost",
    "CUDA error: unknown error",
    "cudaErrorIllegalAddress",
    "cudaErrorAssert",
    "cudaErrorLaunchFailure",
)
"""texts of the errors after which CUDA answers nothing else (CUDA Runtime API, cudaError_t), or of a lost GPU"""


@contextlib.contextmanager
def device_errors(what: str, device: torch.device) -> Iterator[None]:
    """Name what CUDA's RuntimeErrors mean; those that mean something else pass.

    Raises:
        GPUMemoryError: the memory of `device` is short, in whatever words. DeadDeviceError: this process cannot use
            `device` any more.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise _short_of_memory(what) from error
    except RuntimeError as error:
        # A library that finds the device dead may say that it could not be initialised.
        if any(text in str(error) for text in _DEAD) or not _answers(device):
            raise DeadDeviceError(
                f"the GPU failed with {what}: {first_line(error)}", stage="detect", hint="--device cpu"
            ) from error
        if any(text in str(error) for text in _SHORT_OF_MEMORY):
            raise _short_of_memory(what) from error
        raise


def try_device(device: str) -> None:
    """Run one small convolution as the networks do.

    A card that torch has no kernels for, memory that others have taken, and a driver that does not fit all look well
    until something is computed.

    Raises:
        RuntimeError: it fails or gives wrong numbers.
    """
    dtype = torch.float16 if torch.device(device).type == "cuda" else torch.float32
    with torch.inference_mode():
        images = torch.ones((2, 3, 16, 16), dtype=dtype).to(device, memory_format=torch.channels_last)
        weights = torch.full((8, 3, 3, 3), 0.125, dtype=dtype).to(device, memory_format=torch.channels_last)
        sums = torch.nn.functional.conv2d(images, weights).float().cpu()
    if not torch.equal(sums, torch.full((2, 8, 14, 14), 3.375)):
        raise RuntimeError("a convolution gives wrong numbers")


def first_line(error: Exception) -> str:
    """What the error says, without CUDA's advice on debugging."""
    return ascii_safe(next(iter(str(error).strip().splitlines()), type(error).__name__))


def free_memory() -> None:
    """Give the GPU's memory that nothing uses back to others; of a GPU that does not work that cannot be had."""
    with contextlib.suppress(RuntimeError):
        torch.cuda.empty_cache()


def _short_of_memory(what: str) -> GPUMemoryError:
    return GPUMemoryError(f"out of GPU memory with {what}", stage="detect", hint="--device cpu")


def _answers(device: torch.device) -> bool:
    """Whether a GPU still does anything; errors that kill it come back at every call."""
    if device.type != "cuda":
        return True
    try:
        torch.cuda.synchronize(device)
    except RuntimeError:
        return False
    return True


class Upload:
    """The way of arrays to a device, through one buffer of host memory that grows to the largest seen.

    Not thread-safe. The transfer may still be under way when the call returns; whoever asks the device for results
    waits for it, and has to before the next call.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._buffer = torch.empty(0, dtype=torch.uint8)

    def __call__(self, arrays: Sequence[NDArray[np.generic]] | NDArray[np.generic]) -> torch.Tensor:
        """Arrays of one shape and type as one tensor (N, ...) on the device."""
        first = arrays[0]
        shape = (len(arrays), *first.shape)
        size = len(arrays) * first.nbytes
        if self._buffer.numel() < size:
            self.free()  # both at once may be too much
            self._buffer = torch.empty(size, dtype=torch.uint8, pin_memory=self.device.type == "cuda")
        kind = torch.from_numpy(np.zeros(0, first.dtype)).dtype
        staged = self._buffer[:size].view(kind).reshape(shape)
        host = staged.numpy()
        for row in range(len(arrays)):
            host[row] = arrays[row]
        return staged.to(self.device, non_blocking=True, copy=True)

    def free(self) -> None:
        """Give the buffer back until the next call."""
        self._buffer = torch.empty(0, dtype=torch.uint8)


class TorchNet:
    """A torch network on `device`, with pixels in the order that convolutions prefer (channels_last).

    Both the constructor and a call raise GPUMemoryError and DeadDeviceError, as `device_errors` has it.
    """

    def __init__(self, kind: str, weights: Path, device: str, *, half: bool | None = None) -> None:
        """half: compute with 16 bits; None is on a GPU only."""
        self._device = torch.device(device)
        self._upload = Upload(self._device)
        self._was_short = False
        half = self._device.type == "cuda" if half is None else half
        dtype = torch.float16 if half else torch.float32
        with device_errors(f"the network {kind}", self._device):
            net = torch_nets.build(kind, weights).to(self._device, dtype)
            self._net = net.to(memory_format=torch.channels_last)

    def __call__(self, images: Images) -> tuple[FloatArray, ...]:
        with device_errors(f"a batch of {len(images)}", self._device), torch.inference_mode():
            if self._was_short and self._device.type == "cuda":
                # Only now are the tensors of the call that failed free.
                torch.cuda.empty_cache()
            self._was_short = True  # until it is known better
            batch = images if isinstance(images, torch.Tensor) else self._upload(images)
            out = self._net(batch)
            outputs = tuple(o.float().cpu().numpy() for o in (out if isinstance(out, tuple) else (out,)))
        self._was_short = False
        return outputs

    def give_back_memory(self) -> None:
        """Free what is kept for the next call, on the device and here."""
        self._upload.free()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


class DeviceImages:
    """`SampledImages` on a device: images go there once, levels and crops are made there, exactly alike.

    The summed-area tables take 12 bytes a pixel of the device's memory, and some more while they are made.
    """

    def __init__(self, images: Sequence[ByteArray], upload: Upload) -> None:
        """images: each (h, w, 3) uint8 RGB, all of one shape.

        Raises:
            GPUMemoryError: they do not fit. DeadDeviceError: the device failed. The methods raise them too.
        """
        self.height, self.width = images[0].shape[:2]
        with device_errors(f"{len(images)} images of {self.width}x{self.height}", upload.device):
            shape = len(images), self.height + 1, self.width + 1, 3
            self._table = torch.zeros(shape, dtype=torch.int32, device=upload.device)
            inner = upload(images).to(torch.int32)
            # Sums beyond 32 bits wrap around; differences of them are right all the same.
            self._table[:, 1:, 1:] = inner.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32)

    def level(self, height: int, width: int) -> torch.Tensor:
        """All images shrunk to (n, height, width, 3) float32 in [0, 255]."""
        top, bottom = self._cells(self.height, height)
        left, right = self._cells(self.width, width)
        with device_errors(f"a level of {width}x{height}", self._table.device):
            rows = self._table[:, bottom] - self._table[:, top]
            sums = rows[:, :, right] - rows[:, :, left]
            area = (bottom - top)[:, None] * (right - left)[None, :]
            return sums / area[..., None].to(torch.float32)

    def crops(self, boxes: FloatArray, owner: NDArray[np.int64], side: int) -> torch.Tensor:
        """(N, side, side, 3) float32, each box cut out of the image that `owner` names."""
        device = self._table.device
        with device_errors(f"{len(boxes)} crops of {side}x{side}", device):
            low, high = (torch.from_numpy(corner).to(device) for corner in whole_pixels(boxes, self.width, self.height))
            size, step = (high - low)[:, None], torch.arange(side, device=device)[None, :, None]
            first = low[:, None] + step * size // side
            last = low[:, None] - (-(step + 1) * size // side)
            image = torch.from_numpy(owner).to(device)[:, None, None]
            sums = (
                self._table[image, last[:, :, None, 1], last[:, None, :, 0]]
                - self._table[image, first[:, :, None, 1], last[:, None, :, 0]]
                - self._table[image, last[:, :, None, 1], first[:, None, :, 0]]
                + self._table[image, first[:, :, None, 1], first[:, None, :, 0]]
            )
            extent = last - first
            area = extent[:, :, None, 1] * extent[:, None, :, 0]
            return sums / area[..., None].to(torch.float32)

    def _cells(self, length: int, parts: int) -> tuple[torch.Tensor, torch.Tensor]:
        step = torch.arange(parts, device=self._table.device)
        return step * length // parts, -(-(step + 1) * length // parts)
