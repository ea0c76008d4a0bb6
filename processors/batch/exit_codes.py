"""Exit codes of the program and of its worker process."""

from __future__ import annotations

EXIT_DONE = 0
EXIT_FAILED = 1
"""at least one input failed, and the others are done; or standard output could not be written"""
EXIT_USAGE = 2
"""wrong arguments, settings or folders"""
EXIT_MISSING = 3
"""a tool or a model is missing"""
EXIT_RESTART = 75
"""worker process only: it can no longer use the GPU, so a new process must continue (EX_TEMPFAIL of sysexits.h)"""
EXIT_INTERRUPTED = 130
