"""What a command takes, with everything that it starts: wall time, CPU time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
KIB_PER_MAXRSS = 1 if sys.platform != "darwin" else 1 / 1024
"""unit of ru_maxrss: KiB, but bytes on macOS"""
SAMPLE_S = 0.1
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """cpu_s: user and system, of the command and of the children that it waited for. peak_mib: resident memory of its
    largest process, by the kernel's own account. tree_mib: largest sum over all its processes at a time, sampled every
    0.1 s, pages that they share counted in each; 0 where there is no /proc."""

    exit_code: int
    wall_s: float
    cpu_s: float
    peak_mib: float
    tree_mib: float


def measure(command: list[str], log: Path) -> Usage:
    """Run `command` in the project's folder to its end; what it says goes to `log`."""
    with log.open("ab") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        ended = threading.Event()
        tree: list[float] = [0.0]
        sampler = threading.Thread(target=_sample, args=(process.pid, ended, tree), daemon=True)
        sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        ended.set()
        sampler.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(
        process.returncode,
        wall,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * KIB_PER_MAXRSS / 1024,
        tree[0] / 2**20,
    )


def _sample(pid: int, ended: threading.Event, peak: list[float]) -> None:
    while not ended.wait(SAMPLE_S):
        peak[0] = max(peak[0], sum(map(resident_bytes, process_tree(pid))))


def process_tree(pid: int) -> Iterator[int]:
    """`pid` and its descendants, those that could be read."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:  # it has ended meanwhile
            continue
        for child in found:
            yield from process_tree(int(child))


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, 0 where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0
