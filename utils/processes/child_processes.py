"""Child processes: they die with their parent, and the cause of their death is described in words."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
DIED_WITH_PARENT = 128 + signal.SIGKILL
"""exit code of a process whose parent has died"""


def die_with_parent(parent: int) -> bool:
    """Have the system kill this process when the thread that started it ends; False where the system cannot.

    parent: process id. Works on Linux. Elsewhere a process has to watch a pipe that only its parent holds open.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(DIED_WITH_PARENT)  # it died before prctl took effect
    return True


def cause_of_death(exit_code: int) -> str:
    """Why a process ended unexpectedly. exit_code: negative for a signal, as in `subprocess`."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    if exit_code == -signal.SIGKILL:
        return "killed; out of memory?"
    with contextlib.suppress(ValueError):
        return signal.Signals(-exit_code).name
    return f"signal {-exit_code}"
