"""The terminal of a command: its log and progress, and what Ctrl-C does."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import OutputError

if TYPE_CHECKING:
    from utils.console.batch_monitor import BatchMonitor


@contextlib.contextmanager
def open_console(
    verbosity: int, log_file: Path | None = None, *logs: logging.Handler, as_json: bool = False
) -> Iterator[BatchMonitor]:
    """Set up log and progress on stderr: bars on a terminal, lines elsewhere, no progress with --quiet.

    verbosity: 0 normal, -1 quiet, 1 detailed, including the output of libraries.
    as_json: log and progress are JSON, one object a line, for another program.
    log_file: gets every message as JSON lines. logs: further handlers that get every message; the caller closes them.

    Raises:
        OutputError: `log_file` cannot be written.
    """
    from utils.console.console_log import configure_logging
    from utils.console.json_log import open_log_file
    from utils.console.stdout_guard import show_library_output

    show_library_output(verbosity > 0)
    monitor, write = _monitor(verbosity, as_json=as_json)
    try:
        file = None if log_file is None else open_log_file(log_file)
    except OSError as error:
        message = f"the log cannot be written: {error.strerror or error}"
        raise OutputError(message, path=log_file, hint="name another file with --log-file") from error
    files = [*logs, *([file] if file is not None else [])]
    configure_logging(verbosity, write, *files)
    try:
        yield monitor
    finally:
        monitor.close()
        for handler in files:
            logging.getLogger().removeHandler(handler)
        if file is not None:
            file.close()


def _monitor(verbosity: int, *, as_json: bool) -> tuple[BatchMonitor, Callable[[str], None]]:
    """The display of progress on stderr, and how to write a log line without damaging it."""
    from utils.console.batch_monitor import BatchMonitor
    from utils.console.progress_lines import JsonMonitor, LineMonitor

    if as_json:
        as_objects = JsonMonitor(sys.stderr)
        return as_objects, as_objects.write
    lines = LineMonitor(sys.stderr)
    if verbosity < 0:
        return BatchMonitor(), lines.write
    if sys.stderr.isatty():
        from utils.console.progress_bars import BarMonitor

        bars = BarMonitor(sys.stderr)
        return bars, bars.write
    return lines, lines.write


@contextlib.contextmanager
def signals_to(stop: threading.Event) -> Iterator[None]:
    """Within the block, Ctrl-C and SIGTERM set `stop`; a second one raises KeyboardInterrupt.

    An exception at once could interrupt the start of a thread or the writing of a file.
    """

    def ask_to_stop(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
