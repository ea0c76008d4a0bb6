"""Identifies a process on a machine, well enough to tell later, on the same machine, that it no longer runs."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")
_START_FIELD = 19
"""index of `starttime` among the fields of /proc/PID/stat after the name (field 22 in proc_pid_stat(5))"""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process.

    host: name of the machine, for people. machine: identifies this boot of the system and the namespace of process ids;
    "" if unknown. pid: process id. started: its start, so that a later process with the same id is not taken for it.
    """

    host: str
    machine: str
    pid: int
    started: str

    @property
    def is_gone(self) -> bool:
        """True only if the process certainly no longer runs; False for one of another machine."""
        here = _machine()
        if not here or self.machine != here or self.pid <= 0:
            return False
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except OSError:
            return False  # it runs, as another user
        state, started = _state_and_start(self.pid)
        # A zombie has ended, but its parent has not read its exit code yet.
        return state in ("Z", "X") or bool(started and started != self.started)


def this_process() -> ProcessIdentity:
    """The identity of the calling process."""
    pid = os.getpid()
    return ProcessIdentity(platform.node(), _machine(), pid, _state_and_start(pid)[1])


def _machine() -> str:
    # Containers have host names and start times of their own choice, but process numbers only within their namespace.
    if not sys.platform.startswith("linux"):
        return ""
    try:
        return f"{_BOOT_ID.read_text().strip()}/{_PID_NAMESPACE.readlink()}"
    except OSError:
        return ""


def _state_and_start(pid: int) -> tuple[str, str]:
    """State and start time of a process according to /proc; "" without it."""
    with contextlib.suppress(OSError, IndexError):
        # The name may contain spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0], fields[_START_FIELD]
    return "", ""
