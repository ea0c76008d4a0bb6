"""How many threads each part of a run may use."""

from __future__ import annotations

import os
from dataclasses import dataclass

from utils.processes.malloc_tuning import keep_few_heaps, keep_little_free_memory

_MIN_HEAPS = 4


@dataclass(frozen=True, slots=True)
class ThreadBudget:
    """Threads per part. Decoding and inference run at the same time, so neither gets all of them.

    inference: of each network except R-Net. filter: of R-Net.
    """

    total: int
    decode: int
    inference: int
    filter: int


def available_cpus() -> int:
    """Number of CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_process_threads() -> None:
    """Set limits for the whole process, of its heaps too; call it before numpy is imported and threads are started."""
    use_one_blas_thread()
    # With fewer than four heaps threads wait for each other: 5 to 10 % of a run.
    keep_few_heaps(max(_MIN_HEAPS, available_cpus()))
    keep_little_free_memory()


def use_one_blas_thread() -> None:
    """Make numpy and scipy multiply matrices on the calling thread; call it before numpy is imported.

    Our matrices are small. On import OpenBLAS starts a thread per CPU, which spins: 0.3 s of CPU time on two CPUs.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def use_one_opencv_thread() -> None:
    """Make OpenCV compute on the calling thread, in the whole process.

    Its worker threads wait for work by spinning, which takes a tenth of all CPU time of a run from decoding.
    """
    import cv2

    cv2.setNumThreads(1)


def thread_budget(requested: int) -> ThreadBudget:
    """Divide `requested` threads (0: as many as there are CPUs).

    One CPU is left to the decoder while the networks run: on two CPUs a second thread of OpenVINO would only wait.
    R-Net gets all: everything else waits for its hundred crops of a search most often (5 % of an analysis on two CPUs).
    Decoding on more than four threads and small networks on more than eight only cost memory.
    """
    total = requested or available_cpus()
    return ThreadBudget(total=total, decode=min(total, 4), inference=min(max(total - 1, 1), 8), filter=min(total, 8))
