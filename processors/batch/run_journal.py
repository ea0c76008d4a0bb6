"""What a worker process reports while it works, and what the supervisor knows about crashed ones.

A fault in foreign code (a codec, a driver) can end the worker process at any instruction. What it had reported by then
decides how the run continues: see `processors/batch/worker_supervisor.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from processors.batch.input_result import InputResult

MAX_CRASHES = 2
"""an input that was in progress in this many crashes is left out"""

_STAGE_VERBS = {"probe": "probed", "analyse": "analysed", "finish": "rendered"}


@dataclass(frozen=True, slots=True)
class Crash:
    """An input that was in progress when a worker process died.

    count: number of such processes. stage: the stage of the input at the last crash. cause: how that process ended.
    """

    count: int
    stage: str
    cause: str

    @property
    def reason(self) -> str:
        """Why the input is left out, in one line."""
        return f"crashed the program while being {stage_verb(self.stage)} ({self.cause}); left out"


def stage_verb(stage: str) -> str:
    """What was being done to an input in `stage`: "analysed"."""
    return _STAGE_VERBS.get(stage, "processed")


@dataclass(frozen=True, slots=True)
class RunHistory:
    """What earlier worker processes of the same run did, by the names of inputs. A plain value."""

    results: Mapping[str, InputResult] = field(default_factory=dict)
    crashes: Mapping[str, Crash] = field(default_factory=dict)

    @property
    def suspects(self) -> list[str]:
        """Inputs that were in progress when a process died and are to be tried once more, alone."""
        return [name for name in self.crashes if name not in self.results and self.left_out(name) is None]

    def left_out(self, name: str) -> Crash | None:
        """Return the last crash of an input that must not be tried again, else None."""
        crash = self.crashes.get(name)
        return crash if crash is not None and crash.count >= MAX_CRASHES else None

    def after_crash(self, results: Mapping[str, InputResult], stages: Mapping[str, str], cause: str) -> RunHistory:
        """Return the history with one more dead process.

        results: of the inputs that it finished. stages: of the inputs that were in progress.
        """
        crashes = dict(self.crashes)
        for name, stage in stages.items():
            before = crashes.get(name)
            crashes[name] = Crash(1 if before is None else before.count + 1, stage, cause)
        return RunHistory({**self.results, **results}, crashes)


class RunJournal:
    """Receives the progress of a run. Thread-safe. This base class discards it.

    Attributes:
        history: what earlier processes of this run did.
    """

    def __init__(self, history: RunHistory | None = None) -> None:
        self.history = history or RunHistory()

    @property
    def can_restart(self) -> bool:
        """True if a worker process that exits with `EXIT_RESTART` is followed by a new one."""
        return False

    def blame(self, name: str, stage: str) -> None:
        """Report that this process broke in `stage` of the input `name`, which the next process tries once more."""
        self.tell("blame", name, stage)

    @contextlib.contextmanager
    def working_on(self, name: str, stage: str) -> Iterator[None]:
        """Report that the input `name` is in `stage` ("probe", "analyse" or "finish") within the block."""
        self.tell("begin", name, stage)
        try:
            yield
        finally:
            self.tell("end", name, stage)

    def record(self, result: InputResult) -> None:
        """Report the outcome of an input."""
        self.tell("result", result.name, result)

    def tell(self, event: str, name: str, detail: Any) -> None:
        """Send one event: "begin", "end" or "blame" with a stage, or "result" with an `InputResult`."""
