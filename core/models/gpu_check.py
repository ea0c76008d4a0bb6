"""Whether there is a GPU that torch can use, found out as cheaply as possible."""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache


@lru_cache(maxsize=1)
def why_no_gpu() -> str:
    """Empty where torch can use an NVIDIA GPU, else the reason why not.

    torch is only imported where the driver answers: it costs 3 s and 600 MB.
    """
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return "no NVIDIA driver"
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        return "the NVIDIA driver finds no GPU"
    try:
        import torch
    except ModuleNotFoundError:
        raise
    except (ImportError, OSError, RuntimeError) as error:
        # CUDA's libraries come with it, and may not fit this machine.
        return f"torch cannot be loaded: {' '.join(str(error).split())}"
    return (
        "" if torch.cuda.is_available() else f"torch {torch.__version__} was built without CUDA or for another driver"
    )
