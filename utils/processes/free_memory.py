"""How much memory processes can still take."""

from __future__ import annotations

import contextlib
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
"""of this process as a container sees it"""


def free_memory_mb(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> float | None:
    """What the system and the limit of a container leave to be taken without swapping, MB; None if not known.

    meminfo: see proc_meminfo(5), MemAvailable. cgroup: folder with memory.max and memory.current of cgroup v2.
    """
    found: list[float] = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = meminfo.read_text(encoding="ascii").splitlines()
        found.append(next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) * 1024 / 1e6)
    # Without a limit, memory.max contains "max" instead of a number.
    with contextlib.suppress(OSError, ValueError):
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
        found.append(max(limit - used, 0) / 1e6)
    return min(found, default=None)
