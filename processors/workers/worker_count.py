"""How many videos are worked on at a time."""

from __future__ import annotations

from config import Settings
from core.models.inference.gpu_check import driver_finds_gpu
from core.thread_budget import thread_budget
from utils.processes.free_memory import free_memory_mb

CPUS_PER_WORKER = 4
"""one video keeps two to four CPUs busy: a few threads decode, and the networks' batches are small"""
MEMORY_PER_WORKER_MB = 1500
"""of a 1080p video with its encoders; larger frames take more (docs/measurements)"""


def worker_count(settings: Settings, inputs: int) -> int:
    """The number of worker processes for a run over `inputs` inputs; 1: the videos are worked on in this process."""
    wanted = settings.run.workers
    if isinstance(wanted, int):
        return max(1, min(wanted, inputs))
    return workers_for(
        inputs,
        cpus=thread_budget(settings.run.threads).total,
        memory_mb=free_memory_mb(),
        # Two processes would share its memory, and wait for each other.
        has_gpu=settings.analysis.device != "cpu" and driver_finds_gpu(),
    )


def workers_for(inputs: int, *, cpus: int, memory_mb: float | None, has_gpu: bool) -> int:
    """What `auto` means. memory_mb: free memory; None: unknown."""
    if has_gpu:
        return 1
    by_memory = cpus if memory_mb is None else int(memory_mb // MEMORY_PER_WORKER_MB)
    return max(1, min(inputs, cpus // CPUS_PER_WORKER, by_memory))
