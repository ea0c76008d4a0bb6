"""Free memory, of the system and within the limit of a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from utils.processes.free_memory import free_memory_mb

MEMINFO = "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n"


def cgroup(folder: Path, limit: str, used: int) -> Path:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    return folder


def test_what_is_available_counts_not_what_is_unused(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(MEMINFO)
    assert free_memory_mb(meminfo, tmp_path) == pytest.approx(8192.0)
    assert free_memory_mb(meminfo, cgroup(tmp_path, "max", 5)) == pytest.approx(8192.0)
    assert free_memory_mb(meminfo, cgroup(tmp_path, "3000000000", 1_000_000_000)) == pytest.approx(2000.0)
    assert free_memory_mb(meminfo, cgroup(tmp_path, "1000", 2000)) == 0.0


def test_where_nothing_is_known_nothing_is_reported(tmp_path: Path) -> None:
    assert free_memory_mb(tmp_path / "none", tmp_path) is None
