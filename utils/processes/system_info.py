"""Facts about the machine for a bug report; nothing that identifies its owner."""

from __future__ import annotations

import importlib.metadata
import locale
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "IMAGEIO_FFMPEG_EXE", "TORCH_HOME",
              "XDG_CACHE_HOME", "LANG", "LC_ALL", "PYTHONUTF8", "MALLOC_ARENA_MAX")  # fmt: skip
_CPU_FEATURES = ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")
_GPU_FACTS = "name,driver_version,memory.total,memory.used,compute_cap"
_ANSWER_TIMEOUT_S = 10


def machine_facts(folders: Mapping[str, Path]) -> dict[str, Any]:
    """Return Python, system, processor, memory and GPUs, and the free space in `folders` (by purpose)."""
    return {
        "python": {"version": sys.version, "prefix": sys.prefix, "encoding": locale.getpreferredencoding(False)},
        "system": {"platform": platform.platform(), "libc": " ".join(platform.libc_ver())},
        "cpu": _cpu(),
        "memory_kb": _fields(Path("/proc/meminfo"), ("MemTotal", "MemAvailable", "SwapFree")),
        "limits": _limits(),
        "gpu": _gpus(),
        "free_mb": {name: _free_mb(path) for name, path in folders.items()},
        "environment": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }


def package_versions() -> dict[str, str]:
    """Return the version of every installed package by name."""
    found = ((d.metadata["Name"], d.version) for d in importlib.metadata.distributions())
    return dict(sorted(((name, version) for name, version in found if name), key=lambda item: item[0].lower()))


def _cpu() -> dict[str, Any]:
    fields = _fields(Path("/proc/cpuinfo"), ("model name", "flags", "Features"))
    flags = f"{fields.pop('flags', '')} {fields.pop('Features', '')}".split()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "machine": platform.machine(),
        "model": fields.get("model name") or platform.processor(),
        "features": [feature for feature in _CPU_FEATURES if feature in flags],
        "count": os.cpu_count(),
        "usable": usable,
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
    }


def _gpus() -> list[str]:
    """Return one line per GPU with the columns of `_GPU_FACTS`, or why there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ["no nvidia-smi"]
    try:
        answer = subprocess.run(
            [program, f"--query-gpu={_GPU_FACTS}", "--format=csv,noheader"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"nvidia-smi does not respond: {error}"]
    return [_GPU_FACTS, *(answer.stdout or answer.stderr).decode("utf-8", "replace").strip().splitlines()]


def _limits() -> dict[str, int]:
    try:
        import resource
    except ImportError:  # not on Windows
        return {}
    names = ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_AS", "RLIMIT_FSIZE")
    return {name: resource.getrlimit(getattr(resource, name))[0] for name in names if hasattr(resource, name)}


def _fields(file: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the first value of each name in a file of `name: value` lines; empty if there is no such file."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = [(key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in lines)]
    return {name: next(value for key, value in pairs if key == name) for name in names if name in dict(pairs)}


def _free_mb(path: Path) -> int | None:
    place = next((p for p in (path.absolute(), *path.absolute().parents) if p.exists()), None)
    try:
        return None if place is None else shutil.disk_usage(place).free // 1_000_000
    except OSError:
        return None
