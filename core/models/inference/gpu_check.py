"""Checks as cheaply as possible whether torch can use a GPU."""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache


def driver_finds_gpu() -> bool:
    """Whether there is an NVIDIA GPU, as far as can be known without torch."""
    return not _why_driver_finds_no_gpu()


@lru_cache(maxsize=1)
def why_no_gpu() -> str:
    """Empty if torch can use an NVIDIA GPU, else the reason why not.

    torch, which costs 3 s and 600 MB, is only imported if the driver finds a GPU.
    """
    if reason := _why_driver_finds_no_gpu():
        return reason
    try:
        import torch
    except ModuleNotFoundError:
        raise
    except (ImportError, OSError, RuntimeError) as error:
        # It loads CUDA's libraries, which may not fit this machine.
        return f"torch cannot be loaded: {' '.join(str(error).split())}"
    return (
        "" if torch.cuda.is_available() else f"torch {torch.__version__} was built without CUDA or for another driver"
    )


def _why_driver_finds_no_gpu() -> str:
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return "no NVIDIA driver"
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        return "the NVIDIA driver finds no GPU"
    return ""
