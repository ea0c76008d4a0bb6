"""Log messages of another process: sent as plain values and logged where the user sees them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from utils.console.console_log import OWN_LOGGERS
from utils.console.json_log import current_context, log_context


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A log message on its way. context: video and stage. created: seconds since 1970. traceback: or ""."""

    logger: str
    level: int
    message: str
    context: tuple[str, str]
    created: float
    traceback: str = ""

    def log(self) -> None:
        """Log it in this process, as if it had been logged here."""
        logger = logging.getLogger(self.logger)
        if not logger.isEnabledFor(self.level):
            return
        record = logging.LogRecord(self.logger, self.level, "", 0, self.message, None, None)
        record.created = self.created
        record.exc_text = self.traceback or None
        with log_context(*self.context):
            logger.handle(record)


@dataclass(frozen=True, slots=True)
class LogLevels:
    """Lowest levels that are logged. own: by loggers of this program. others: by those of libraries."""

    own: int
    others: int


def log_levels() -> LogLevels:
    """The levels of this process."""
    return LogLevels(logging.getLogger(OWN_LOGGERS[-1]).getEffectiveLevel(), logging.getLogger().level)


def forward_logs(send: Callable[[SentMessage], None], levels: LogLevels) -> None:
    """Send every message that reaches `levels` to `send`, and to no other handler of this process."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(_Sender(send))
    root.setLevel(levels.others)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(levels.own)
    logging.captureWarnings(True)


class _Sender(logging.Handler):
    def __init__(self, send: Callable[[SentMessage], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        try:
            traceback = "" if not record.exc_info else logging.Formatter().formatException(record.exc_info)
            message = record.getMessage()
            self._send(SentMessage(record.name, record.levelno, message, current_context(), record.created, traceback))
        except Exception:
            self.handleError(record)
