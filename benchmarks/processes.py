"""Wall time, CPU time and memory of a command and its child processes."""

from __future__ import annotations

import contextlib
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
START_S = 0.5
"""time from a process' start within which it begins the program that it was started for"""
_MEMORY = ("VmRSS", "VmHWM")
_SHARED = ("Pss", "Rss")


@dataclass(frozen=True, slots=True)
class Usage:
    """cpu_s: user and system, of the command and of the children that it waited for. peak_mib: most memory that
    its largest process ever had. tree_mib: largest sum over all its processes at a time, pages that they share counted
    in each; 0 where there is no /proc."""

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
        sampled = _Sampled()
        sampler = threading.Thread(target=sampled.watch, args=(process.pid, ended), daemon=True)
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
        # What a process inherits there is the size of the one that started it, this one; so only as a last resort.
        sampled.peak_kib / 1024 if sampled.peak_kib else usage.ru_maxrss * KIB_PER_MAXRSS / 1024,
        sampled.tree_kib / 1024,
    )


class _Sampled:
    """Memory of a command's processes, sampled every 0.1 s; the kernel records each process's peak in between."""

    def __init__(self) -> None:
        self.peak_kib = self.tree_kib = 0

    def watch(self, pid: int, ended: threading.Event) -> None:
        while not ended.wait(SAMPLE_S):
            found = [memory_kib(one) for one in process_tree(pid)]
            self.tree_kib = max(self.tree_kib, sum(now for now, _ in found))
            self.peak_kib = max(self.peak_kib, *(peak for _, peak in found))


def process_tree(pid: int) -> Iterator[int]:
    """`pid` and its descendants, those that could be read."""
    yield pid
    own = _command(pid)
    for child in _children(pid):
        # One that is about to start another program has its parent's memory until then; it is no memory more. One that
        # goes on with its parent's program, as the program's worker does, is a process of its own.
        if _command(child) != own or _age_s(child) >= START_S:
            yield from process_tree(child)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    # The process or one of its threads may end at any time.
    with contextlib.suppress(OSError):
        for thread in os.scandir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, Path(thread.path, "children").read_text().split())
    return found


def _age_s(pid: int) -> float:
    """Seconds since a process was started; 0 where it has ended."""
    try:
        # The name before the last bracket may hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        up_s = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return 0.0
    return up_s - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def memory_kib(pid: int) -> tuple[int, int]:
    """Resident memory of a process, now and at its peak; zeros where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    values = {name: text.split()[0] for name, _, text in (line.partition(":") for line in lines) if name in _MEMORY}
    now, peak = (int(values.get(name, 0)) for name in _MEMORY)
    return now, peak


def shared_memory_kib(pid: int) -> tuple[int, int]:
    """Proportional memory of a process (pages that n processes share count 1/n in each), and resident; else zeros."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    values = {name: text.split()[0] for name, _, text in (line.partition(":") for line in lines) if name in _SHARED}
    share, resident = (int(values.get(name, 0)) for name in _SHARED)
    return share, resident
