"""Memory that is given back."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from utils.processes import malloc_tuning
from utils.processes.malloc_tuning import MemoryReturn, give_back_memory, keep_few_heaps, keep_little_free_memory

PROJECT = Path(__file__).resolve().parents[3]


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="no glibc")
def test_holes_between_what_is_in_use_are_given_back() -> None:
    # Blocks too small for pages of their own; the last one keeps the heap from shrinking by itself.
    blocks = [np.ones(8_000, np.float64) for _ in range(2_000)]
    last = blocks[-1]
    del blocks
    before = resident_mb()
    give_back_memory()
    assert last[0] == 1
    assert before - resident_mb() > 60


HEAPS = """
import sys, threading, ctypes
from utils.processes.malloc_tuning import keep_few_heaps
keep_few_heaps(int(sys.argv[1]))
def work(barrier):
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc(100_000)
    barrier.wait(10)
barrier = threading.Barrier(8)
threads = [threading.Thread(target=work, args=(barrier,)) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="no glibc")
@pytest.mark.parametrize(("environment", "most"), [({}, 2), ({"MALLOC_ARENA_MAX": "3"}, 3)])
def test_threads_share_a_few_heaps(environment: dict[str, str], most: int) -> None:
    clean = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", HEAPS, "2"]
    done = subprocess.run(
        command, cwd=PROJECT, env={**clean, **environment}, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr.count("Arena ") == most


ENDS = """
import ctypes, threading
from pathlib import Path
from utils.processes.malloc_tuning import give_back_memory, keep_few_heaps, keep_little_free_memory
keep_few_heaps(2)
keep_little_free_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
def use_blocks(size, count):
    blocks = [libc.malloc(size) for _ in range(count)]
    for block in blocks: ctypes.memset(block, 1, size)
    for block in reversed(blocks): libc.free(block)
def work():
    use_blocks(30_000_000, 1)  # as the weights of a network; glibc would keep twice as much from now on
    before = resident_mb()
    use_blocks(1_000_000, 50)
    give_back_memory()
    print(resident_mb() - before)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="no glibc")
@pytest.mark.parametrize(
    ("environment", "least_mb", "most_mb"),
    [({}, -1, 10), ({"MALLOC_TRIM_THRESHOLD_": "100000000", "MALLOC_MMAP_THRESHOLD_": "8000000"}, 40, 60)],
)
def test_the_end_of_a_threads_heap_is_given_back(environment: dict[str, str], least_mb: float, most_mb: float) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", ENDS],
        cwd=PROJECT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert least_mb < float(done.stdout) < most_mb


@pytest.mark.parametrize("platform", ["darwin", "win32", "linux"])
def test_c_libraries_without_these_functions_are_no_error(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", opened.append)  # returns None, as poor in functions as a library can be
    malloc_tuning.trim_function.cache_clear()
    give_back_memory()
    keep_few_heaps(4)
    keep_little_free_memory()
    malloc_tuning.trim_function.cache_clear()
    assert bool(opened) == (platform == "linux")


def test_during_long_work_it_is_given_back_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    returned: list[float] = []
    time_s = 100.0
    monkeypatch.setattr(malloc_tuning, "give_back_memory", lambda: returned.append(time_s))
    work = MemoryReturn(every_s=10.0, clock=lambda: time_s)
    for time_s in (101.0, 109.9, 110.0, 110.1, 119.9, 135.0, 144.9, 145.0):  # noqa: B007 the clock reads it
        work()
    assert returned == [110.0, 135.0, 145.0]
