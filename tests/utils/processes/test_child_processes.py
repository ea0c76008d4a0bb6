"""Why a process ended, in words."""

from __future__ import annotations

import signal

import pytest

from utils.processes.child_processes import cause_of_death


@pytest.mark.parametrize(
    ("exit_code", "cause"),
    [
        (7, "exit code 7"),
        (-signal.SIGKILL, "killed; out of memory?"),
        (-signal.SIGSEGV, "SIGSEGV"),
        (-250, "signal 250"),
    ],
)
def test_the_cause_of_death(exit_code: int, cause: str) -> None:
    assert cause_of_death(exit_code) == cause
