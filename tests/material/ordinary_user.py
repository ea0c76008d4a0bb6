"""A Python that permissions apply to, also where root runs the tests, and folders and files that it may not write."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DROP_FROM_BOUNDING_SET, MAY_READ_AND_WRITE_ALL = 24, 1
"""of prctl(2) and capabilities(7)"""

# Where permissions mean nothing to us, what makes that so is given up before the program begins.
AS_ANYBODY = f"""\
import ctypes, os, sys
getattr(ctypes.CDLL(None), "prctl", lambda *_: 0)({DROP_FROM_BOUNDING_SET}, {MAY_READ_AND_WRITE_ALL}, 0, 0, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def ordinary(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """A Python of ours in the project's folder, which permissions apply to."""
    command = [sys.executable, "-c", AS_ANYBODY, *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)


@contextlib.contextmanager
def locking(scratch: Path) -> Iterator[Callable[[Path], None]]:
    """A function that takes the right to write away from a folder or file, until the end of the block.

    scratch: a folder to try it in. The test is skipped where permissions do not apply.
    """
    locked: dict[Path, int] = {}

    def lock(path: Path) -> None:
        locked[path] = path.stat().st_mode & 0o777
        path.chmod(locked[path] & 0o555)

    tried = scratch / "tried"
    tried.mkdir()
    lock(tried)
    try:
        if ordinary(["-c", f"open({str(tried / 'x')!r}, 'w')"]).returncode == 0:
            pytest.skip("permissions do not apply to this user")
        yield lock
    finally:
        for path, mode in locked.items():
            path.chmod(mode)
