"""A note in the output folder about the inputs in progress, for the next run in case this one dies."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from core.errors import ascii_safe
from utils.files import write_json

logger = logging.getLogger(__name__)

UNFINISHED_FILE = ".unfinished.json"
"""in the output folder during a run; a run that dies leaves it behind"""


class UnfinishedWork:
    """Keeps the note up to date. Thread-safe.

    A context manager: entering it logs a warning about the note of an earlier run that died; leaving it removes the
    note.
    """

    def __init__(self, output_dir: Path, *, continued: bool) -> None:
        """continued: an earlier process of the same run crashed, which has been reported already."""
        self._path = output_dir / UNFINISHED_FILE
        self._continued = continued
        self._stages: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> UnfinishedWork:
        if not self._continued and (names := self._left_behind()):
            logger.warning("the previous run into this folder ended abruptly while processing %s", ", ".join(names))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def working_on(self, name: str, stage: str, label: str) -> Iterator[None]:
        """List the input `name` with its `stage` within the block. label: the input as the user named it."""
        self._update({(name, stage): label}, ())
        try:
            yield
        finally:
            self._update({}, [(name, stage)])

    def _update(self, begun: Mapping[tuple[str, str], str], ended: Sequence[tuple[str, str]]) -> None:
        with self._lock:
            self._stages |= begun
            for key in ended:
                self._stages.pop(key, None)
            entries = [{"input": label, "stage": stage} for (_, stage), label in self._stages.items()]
            # A full disk must not fail an input because of this note.
            with contextlib.suppress(OSError):
                write_json(self._path, {"inputs": entries})

    def _left_behind(self) -> list[str]:
        try:
            entries = json.loads(self._path.read_bytes())["inputs"]
            return [f"{ascii_safe(str(e['input']))} ({ascii_safe(str(e['stage']))})" for e in entries]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return []
