"""Machine-readable log: one JSON object per line, with the video and the stage that each message concerns."""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

_context: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("log_context", default=("", ""))


@contextlib.contextmanager
def log_context(video: str, stage: str) -> Iterator[None]:
    """Attach `video` and `stage` to every message that this thread logs within the block."""
    token = _context.set((video, stage))
    try:
        yield
    finally:
        _context.reset(token)


def current_context() -> tuple[str, str]:
    """The video and the stage that this thread's messages are about, "" each if about none."""
    return _context.get()


class JsonFormatter(logging.Formatter):
    """Keys: time (UTC, ISO 8601), level, video, stage, logger, message, and traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        video, stage = _context.get()
        entry = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "video": video,
            "stage": stage,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        elif record.exc_text:  # of another process
            entry["traceback"] = record.exc_text
        # ASCII output, because a file name may contain lone surrogates, which UTF-8 cannot encode.
        return json.dumps(entry)


def open_log_file(path: Path) -> logging.Handler:
    """Return a handler that appends JSON lines to `path`, creating its folder if needed.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    return handler
