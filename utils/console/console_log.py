"""Log lines for the terminal: one line each, printed above the progress bars."""

from __future__ import annotations

import logging
from collections.abc import Callable

from utils.console.printable_text import ascii_safe

OWN_LOGGERS = ("__main__", "main", "config", "core", "processors", "utils")
"""loggers of this program, shown from the chosen level on; other packages only show errors"""


class LineFormatter(logging.Formatter):
    """`WARNING: message`; for level INFO only the message.

    Control characters are escaped: a message may contain the name of a hostile file, which must neither break the line
    nor send commands to the terminal.
    """

    def __init__(self, *, verbose: bool) -> None:
        super().__init__("%(asctime)s %(name)s: %(message)s" if verbose else "%(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = ascii_safe(super().formatMessage(record))
        return line if record.levelno == logging.INFO else f"{record.levelname}: {line}"


class CallbackHandler(logging.Handler):
    """Passes each formatted line to `write`, which can redraw the progress bars around it."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record))
        except Exception:
            self.handleError(record)


def configure_logging(verbosity: int, write: Callable[[str], None], *files: logging.Handler) -> None:
    """Send log lines to `write`.

    verbosity: -1 shows warnings, 0 also information, 1 everything with time and logger. Other packages show errors,
        with verbosity 1 also warnings.
    files: handlers that get every message of this program; the caller removes and closes them.
    """
    handler = CallbackHandler(write)
    handler.setFormatter(LineFormatter(verbose=verbosity > 0))
    root = logging.getLogger()
    level = {-1: logging.WARNING, 0: logging.INFO}.get(verbosity, logging.DEBUG)
    handler.setLevel(level)
    for file in files:
        root.addHandler(file)
        level = logging.DEBUG
    for old in [h for h in root.handlers if isinstance(h, CallbackHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING if verbosity > 0 else logging.ERROR)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(level)
    # Users cannot act on deprecation warnings of other packages.
    logging.captureWarnings(True)
