"""A log for programs: one JSON object per line, with the video and the stage that the message is about."""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

_about: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("about", default=("", ""))


@contextlib.contextmanager
def about(video: str, stage: str) -> Iterator[None]:
    """What is logged on this thread within the block is about this stage of this video."""
    token = _about.set((video, stage))
    try:
        yield
    finally:
        _about.reset(token)


class JsonFormatter(logging.Formatter):
    """time (UTC, ISO 8601), level, video, stage, logger, message, and traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        video, stage = _about.get()
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
        # ASCII, because a name may hold what no encoding can write.
        return json.dumps(entry)


def open_log_file(path: Path) -> logging.Handler:
    """A handler that appends to `path`; its folder is made.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    return handler
