"""How many threads each part of a run may use, decided together in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass

from utils.malloc_tuning import keep_few_heaps

_LEAST_HEAPS = 4


@dataclass(frozen=True, slots=True)
class ThreadBudget:
    """Threads per part. Decoding and inference run at the same time, so neither takes all for long.

    inference: of each network but R-Net. filter: of R-Net.
    """

    total: int
    decode: int
    inference: int
    filter: int


def available_cpus() -> int:
    """CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_process_threads() -> None:
    """What holds for the whole process and has to be said before numpy is imported and threads are begun."""
    use_one_blas_thread()
    # Fewer than four make threads wait for each other: 5 to 10 % of a run.
    keep_few_heaps(max(_LEAST_HEAPS, available_cpus()))


def use_one_blas_thread() -> None:
    """Let numpy's and scipy's matrices be multiplied on the thread that asks; before numpy is imported.

    Ours are small. OpenBLAS starts a thread for each CPU on import, which spin for a while: 0.3 s of CPU time on two.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def use_one_opencv_thread() -> None:
    """Let OpenCV compute on the thread that calls it, in the whole process.

    Its other threads would wait for work by spinning: a tenth of all CPU time of a run, on CPUs that decode.
    """
    import cv2

    cv2.setNumThreads(1)


def thread_budget(requested: int) -> ThreadBudget:
    """Shares of `requested` threads (0: as many as there are CPUs).

    One CPU is left to the decoder while the networks run: on two CPUs a second thread of OpenVINO would spend
    its time waiting. R-Net takes all: its hundred crops of a search are what everything else waits for most often
    (on two CPUs 5 % of an analysis). Decoding on more than four threads and small networks on more than eight gain
    nothing but memory.
    """
    total = requested or available_cpus()
    return ThreadBudget(total=total, decode=min(total, 4), inference=min(max(total - 1, 1), 8), filter=min(total, 8))
