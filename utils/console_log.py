"""Log lines for people: one line each, on stderr, above the progress bars."""

from __future__ import annotations

import logging
from collections.abc import Callable

OWN_LOGGERS = ("__main__", "main", "config", "core", "processors", "utils")
"""whose messages are shown from the chosen level on; of other packages only errors are"""


class LineFormatter(logging.Formatter):
    """`WARNING: message`; of ordinary information only the message.

    Control characters in a message are escaped: it may hold the name of a hostile file, which must
    neither break the line nor command the terminal.
    """

    def __init__(self, *, verbose: bool) -> None:
        super().__init__("%(asctime)s %(name)s: %(message)s" if verbose else "%(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = escape(super().formatMessage(record))
        return line if record.levelno == logging.INFO else f"{record.levelname}: {line}"


class CallbackHandler(logging.Handler):
    """Hands each formatted line to `write`, so that whoever draws the bars can step aside for it."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record))
        except Exception:
            self.handleError(record)


def configure_logging(verbosity: int, write: Callable[[str], None], *files: logging.Handler) -> None:
    """Send log lines to `write`: verbosity -1 only warnings, 0 also information, 1 all of ours with time and place.

    Messages of other packages are shown from ERROR on, from WARNING on with verbosity 1.
    files: get everything of ours whatever the verbosity; the caller removes and closes them.
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
    # Deprecation warnings of other packages are nothing the user can act on.
    logging.captureWarnings(True)


def escape(text: str) -> str:
    """`text` with everything that is not printable escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
