"""Networks and images on a torch device. Only imported where torch runs the networks.

Everything works on any torch device, so that tests can run it on the CPU. Images are uploaded as bytes
(`core/models/inference/upload.py`) and become floats on the device.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import DeadDeviceError, GPUMemoryError
from core.models.inference.nets import Images
from core.models.inference.upload import Upload
from core.models.networks import torch_nets
from core.models.networks.model_spec import MODELS
from core.types import ByteArray, FloatArray
from utils.console.printable_text import ascii_safe
from utils.images.area_sampling import whole_pixels

_SHORT_OF_MEMORY = (
    "out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUSOLVER_STATUS_ALLOC_FAILED",
    "cudaErrorMemoryAllocation",
    # cuDNN 9
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
    # Reported if there is not even memory for a library handle or for the workspace of any algorithm.
    "CUDNN_STATUS_NOT_INITIALIZED",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "unable to find an engine to execute this computation",
)
"""parts of the messages by which CUDA and its libraries report that memory ran out"""

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
"""parts of the messages of errors that CUDA repeats at every later call (CUDA Runtime API, cudaError_t)"""


@contextlib.contextmanager
def device_errors(what: str, device: torch.device) -> Iterator[None]:
    """Turn CUDA's RuntimeErrors into errors of the program; unknown ones are passed on.

    Raises:
        GPUMemoryError: `device` ran out of memory. DeadDeviceError: this process cannot use `device` any more.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise _short_of_memory(what) from error
    except RuntimeError as error:
        # On a dead device a library may only report that it could not be initialised.
        if any(text in str(error) for text in _DEAD) or not _answers(device):
            raise DeadDeviceError(
                f"the GPU failed with {what}: {first_line(error)}", stage="detect", hint="--device cpu"
            ) from error
        if any(text in str(error) for text in _SHORT_OF_MEMORY):
            raise _short_of_memory(what) from error
        raise


def try_device(device: str) -> None:
    """Run one small convolution in the way of the networks.

    A card without kernels in this torch, exhausted memory and an unsuitable driver only show in a computation.

    Raises:
        RuntimeError: it fails or returns wrong values.
    """
    dtype = torch.float16 if torch.device(device).type == "cuda" else torch.float32
    with torch.inference_mode():
        images = torch.ones((2, 3, 16, 16), dtype=dtype).to(device, memory_format=torch.channels_last)
        weights = torch.full((8, 3, 3, 3), 0.125, dtype=dtype).to(device, memory_format=torch.channels_last)
        sums = torch.nn.functional.conv2d(images, weights).float().cpu()
    if not torch.equal(sums, torch.full((2, 8, 14, 14), 3.375)):
        raise RuntimeError("a convolution returns wrong values")


def first_line(error: Exception) -> str:
    """The message of the error without CUDA's advice on debugging."""
    return ascii_safe(next(iter(str(error).strip().splitlines()), type(error).__name__))


def free_memory() -> None:
    """Release cached GPU memory; without effect on a GPU that does not work."""
    with contextlib.suppress(RuntimeError):
        torch.cuda.empty_cache()


def _short_of_memory(what: str) -> GPUMemoryError:
    return GPUMemoryError(f"out of GPU memory with {what}", stage="detect", hint="--device cpu")


def _answers(device: torch.device) -> bool:
    """Whether a GPU still works: a fatal error is repeated by every later call."""
    if device.type != "cuda":
        return True
    try:
        torch.cuda.synchronize(device)
    except RuntimeError:
        return False
    return True


def computes_in_half(kind: str, device_type: str) -> bool:
    """Whether the network `kind` computes in 16 bits on such a device ("cpu", "cuda")."""
    return device_type == "cuda" and MODELS[kind].half_on_gpu


class TorchNet:
    """A torch network on `device`, in the memory layout that convolutions prefer (channels_last).

    The constructor and calls raise GPUMemoryError and DeadDeviceError, see `device_errors`.
    """

    def __init__(self, kind: str, weights: Path, device: str, *, half: bool | None = None) -> None:
        """half: compute in half precision; None: on a GPU only, and only where `ModelSpec.half_on_gpu` says so."""
        self._device = torch.device(device)
        self._upload = Upload(self._device)
        self._was_short = False
        half = computes_in_half(kind, self._device.type) if half is None else half
        dtype = torch.float16 if half else torch.float32
        with device_errors(f"the network {kind}", self._device):
            net = torch_nets.build(kind, weights).to(self._device, dtype)
            self._net = net.to(memory_format=torch.channels_last)

    def __call__(self, images: Images) -> tuple[FloatArray, ...]:
        with device_errors(f"a batch of {len(images)}", self._device), torch.inference_mode():
            if self._was_short and self._device.type == "cuda":
                # The tensors of the failed call are only free now.
                torch.cuda.empty_cache()
            self._was_short = True  # until the call has succeeded
            batch = images if isinstance(images, torch.Tensor) else self._upload(images)
            out = self._net(batch)
            outputs = tuple(o.float().cpu().numpy() for o in (out if isinstance(out, tuple) else (out,)))
        self._was_short = False
        return outputs


def filled(images: Images, count: int) -> Images:
    """The images followed by black ones up to `count`, where the images are: an array, or a tensor on its device.

    Raises:
        GPUMemoryError: they do not fit. DeadDeviceError: the device failed.
    """
    missing = count - len(images)
    if missing == 0:
        return images
    if not isinstance(images, torch.Tensor):
        return np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])
    with device_errors(f"a batch of {count}", images.device):
        return torch.cat([images, images.new_zeros((missing, *images.shape[1:]))])


class DeviceImages:
    """An `ImageSampler` on a device, with the same results as `SampledImages`; images are uploaded once.

    The summed-area tables take 12 bytes of device memory per pixel, and more while they are computed.
    """

    def __init__(self, images: Sequence[ByteArray], upload: Upload) -> None:
        """images: each (h, w, 3) uint8 RGB, all of one shape.

        Raises:
            GPUMemoryError: they do not fit. DeadDeviceError: the device failed. The methods raise both as well.
        """
        self.height, self.width = images[0].shape[:2]
        with device_errors(f"{len(images)} images of {self.width}x{self.height}", upload.device):
            shape = len(images), self.height + 1, self.width + 1, 3
            self._table = torch.zeros(shape, dtype=torch.int32, device=upload.device)
            inner = upload(images).to(torch.int32)
            # Sums beyond 32 bits wrap around; their differences are still correct.
            self._table[:, 1:, 1:] = inner.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32)

    def level(self, height: int, width: int) -> torch.Tensor:
        """All images scaled to (n, height, width, 3) float32 in [0, 255]."""
        top, bottom = self._cells(self.height, height)
        left, right = self._cells(self.width, width)
        with device_errors(f"a level of {width}x{height}", self._table.device):
            rows = self._table[:, bottom] - self._table[:, top]
            sums = rows[:, :, right] - rows[:, :, left]
            area = (bottom - top)[:, None] * (right - left)[None, :]
            return sums / area[..., None].to(torch.float32)

    def crops(self, boxes: FloatArray, owner: NDArray[np.int64], side: int) -> torch.Tensor:
        """(N, side, side, 3) float32: each box resampled from the image with the index in `owner`, (N,)."""
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
