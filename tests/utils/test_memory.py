"""A heap that does not grow for ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from utils import memory
from utils.memory import MAY_GROW_MB, RECENT_LOOKS, HeapKeeper

needs_glibc = pytest.mark.skipif(memory._glibc() is None, reason="no glibc")

HOLES = """
import numpy as np
from utils.memory import HeapKeeper, _resident_mb
keeper = HeapKeeper()
# Blocks too small for pages of their own; the last one keeps the heap from shrinking by itself.
blocks = [np.ones(8_000, np.float64) for _ in range(2_000)]
last = blocks[-1]
del blocks
before = _resident_mb()
keeper.tidy()
print(before - _resident_mb())
"""

LARGE = """
import numpy as np
from utils import memory
from utils.memory import HeapKeeper, _resident_mb
sizes = iter([100.0] * memory.RECENT_LOOKS + [200.0] * memory.RECENT_LOOKS)
keeper = HeapKeeper(lambda: next(sizes))
def left_by_large_blocks(count):
    # The threshold rises by itself with what is freed, which is how such blocks come to lie in the heap.
    np.ones(2_500_000, np.float64)
    blocks, small = [], []
    for _ in range(count):
        blocks.append(np.ones(125_000, np.float64))
        small.append(bytes(1000))
    before = _resident_mb()
    blocks.clear()
    return count - (before - _resident_mb())
first = left_by_large_blocks(100)
for _ in range(2 * memory.RECENT_LOOKS):
    keeper.tidy()
print(keeper.bounded, first, left_by_large_blocks(300))
"""


def run(script: str, project: Path) -> str:
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    return done.stdout


@needs_glibc
def test_holes_between_what_is_in_use_are_given_back(project: Path) -> None:
    assert float(run(HOLES, project)) > 60


@needs_glibc
def test_large_blocks_leave_the_heap_once_it_has_grown(project: Path) -> None:
    bounded, before, after = run(LARGE, project).split()
    assert bounded == "True"
    assert float(before) > 80
    # The holes of before are filled first.
    assert float(after) < 120


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """What the C library was asked for."""
    found: list[tuple[int, ...]] = []

    def note(*arguments: int) -> int:
        found.append(arguments)
        return 1

    monkeypatch.setattr(memory, "_glibc", lambda: SimpleNamespace(malloc_trim=note, mallopt=note))
    return found


@pytest.mark.parametrize(("grown", "bounded"), [(MAY_GROW_MB - 1, False), (MAY_GROW_MB + 1, True)])
def test_only_what_lasts_counts_as_growth(grown: float, bounded: bool, calls: list[tuple[int, ...]]) -> None:
    # Every other look falls into the midst of a large video.
    sizes = [300.0, 900.0] * RECENT_LOOKS + [900.0, 300.0 + grown] * RECENT_LOOKS
    looks = iter(sizes)
    keeper = HeapKeeper(lambda: next(looks))
    for _ in sizes:
        keeper.tidy()
    assert keeper.bounded == bounded
    assert calls.count((0,)) == len(sizes)
    assert calls.count((-3, memory.BLOCK_BYTES)) == bounded


@pytest.mark.parametrize("platform", ["darwin", "win32", "linux"])
def test_elsewhere_nothing_happens(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    memory._glibc.cache_clear()
    HeapKeeper(lambda: 1 / 0).tidy()
    memory._glibc.cache_clear()
