"""Which inputs are being worked on and what became of the others, known outside the process that does the work.

A fault in foreign code (a codec, a driver) can end the worker process in the middle of an instruction. What it had
told by then decides how the run goes on: see `processors/batch/worker_supervisor.py`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from core.errors import ascii_safe
from processors.batch.batch_summary import InputResult
from utils.files import write_json

logger = logging.getLogger(__name__)

UNFINISHED_FILE = ".unfinished.json"
"""in the output folder while a run is under way; a run that dies leaves it behind"""
MAX_CRASHES = 2
"""an input that was being worked on in so many crashes is left out"""

_STAGE_VERBS = {"probe": "probed", "analyse": "analysed", "finish": "rendered"}


@dataclass(frozen=True, slots=True)
class Crash:
    """An input that was being worked on when a worker process died.

    count: how many processes. stage: what was being done at the last time. cause: how that process ended, as text.
    """

    count: int
    stage: str
    cause: str

    @property
    def reason(self) -> str:
        """Why the input is left out, one line."""
        verb = _STAGE_VERBS.get(self.stage, "processed")
        return f"crashed the program while being {verb} ({self.cause}); left out"


@dataclass(frozen=True, slots=True)
class RunHistory:
    """What earlier worker processes of the same run did, by the inputs' names; plain values."""

    results: Mapping[str, InputResult] = field(default_factory=dict)
    crashes: Mapping[str, Crash] = field(default_factory=dict)

    @property
    def suspects(self) -> list[str]:
        """Inputs that were being worked on when a process died and are to be tried once more, alone."""
        return [name for name in self.crashes if name not in self.results and self.left_out(name) is None]

    def left_out(self, name: str) -> Crash | None:
        """The last crash of an input that is not to be tried any more."""
        crash = self.crashes.get(name)
        return crash if crash is not None and crash.count >= MAX_CRASHES else None

    def after_crash(self, results: Mapping[str, InputResult], stages: Mapping[str, str], cause: str) -> RunHistory:
        """The history with one more dead process.

        results: of inputs that it finished. stages: what it was doing, by input.
        """
        crashes = dict(self.crashes)
        for name, stage in stages.items():
            before = crashes.get(name)
            crashes[name] = Crash(1 if before is None else before.count + 1, stage, cause)
        return RunHistory({**self.results, **results}, crashes)


class RunJournal:
    """What a worker tells while it works; this base tells nobody. Thread-safe.

    Attributes:
        history: what earlier processes of this run did.
    """

    def __init__(self, history: RunHistory | None = None) -> None:
        self.history = history or RunHistory()

    @property
    def can_restart(self) -> bool:
        """Whether a worker that leaves with `EXIT_RESTART` is followed by a new one."""
        return False

    def blame(self, name: str, stage: str) -> None:
        """What is broken in this process broke in `stage` of the input `name`, which the next one tries once more."""
        self.tell("blame", name, stage)

    @contextlib.contextmanager
    def working_on(self, name: str, stage: str) -> Iterator[None]:
        """Within the block the input `name` is in `stage` ("probe", "analyse" or "finish")."""
        self.tell("begin", name, stage)
        try:
            yield
        finally:
            self.tell("end", name, stage)

    def record(self, result: InputResult) -> None:
        """An input came to its end."""
        self.tell("result", result.name, result)

    def tell(self, event: str, name: str, detail: Any) -> None:
        """Pass on one event: "begin", "end" or "blame" with a stage, or "result" with an `InputResult`."""


class UnfinishedWork:
    """A note in the output folder that says which inputs are being worked on, for the run after a sudden death.

    A context manager: on entering, what an earlier run left is told as a warning; on leaving, the note is removed.
    """

    def __init__(self, output_dir: Path, *, continued: bool) -> None:
        """continued: an earlier process of the same run died, which was told already."""
        self._path = output_dir / UNFINISHED_FILE
        self._continued = continued
        self._stages: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> UnfinishedWork:
        if not self._continued and (names := self._left_behind()):
            logger.warning("the last run into this folder was cut off while it worked on %s", ", ".join(names))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def working_on(self, name: str, stage: str, label: str) -> Iterator[None]:
        """Note within the block that `stage` of the input `name` is under way; label: the input as people know it."""
        self._note({(name, stage): label}, ())
        try:
            yield
        finally:
            self._note({}, [(name, stage)])

    def _note(self, begun: Mapping[tuple[str, str], str], ended: list[tuple[str, str]] | tuple[()]) -> None:
        with self._lock:
            self._stages |= begun
            for key in ended:
                self._stages.pop(key, None)
            entries = [{"input": label, "stage": stage} for (_, stage), label in self._stages.items()]
            # A full disk must not fail an input for the sake of this note.
            with contextlib.suppress(OSError):
                write_json(self._path, {"inputs": entries})

    def _left_behind(self) -> list[str]:
        try:
            entries = json.loads(self._path.read_bytes())["inputs"]
            return [f"{ascii_safe(str(e['input']))} ({ascii_safe(str(e['stage']))})" for e in entries]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return []
