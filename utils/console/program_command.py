"""The command line that calls this program, as pages and messages show it."""

from __future__ import annotations

import shlex

PROGRAM = ".venv/bin/python main.py"
"""in the project's folder; `make` installs the packages for this interpreter alone"""


def program_command(*words: str) -> str:
    """A command line for a POSIX shell; spaces and quotes in `words` survive it."""
    return " ".join([PROGRAM, *map(shlex.quote, words)])
