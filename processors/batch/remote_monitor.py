"""The driver's end of what workers report: shows it, logs it, and enters it in the journal of the run."""

from __future__ import annotations

import threading

from processors.batch.job_link import JobEvent, JournalEntry, StageProgress
from processors.batch.run_journal import RunJournal
from utils.batch_monitor import BatchMonitor


class RemoteMonitor:
    """Receives the events of all workers. For any thread."""

    def __init__(self, monitor: BatchMonitor, journal: RunJournal) -> None:
        self._monitor = monitor
        self._journal = journal
        self._lock = threading.Lock()
        self._stages: dict[str, str] = {}

    def receive(self, event: JobEvent) -> None:
        """Deal with an event; those of one worker come in their order."""
        if isinstance(event, StageProgress):
            self._monitor.stage(event.name, event.stage, event.done, event.total)
        elif isinstance(event, JournalEntry):
            with self._lock:
                if event.event == "begin":
                    self._stages[event.name] = event.detail
                elif event.event == "end":
                    self._stages.pop(event.name, None)
            self._journal.tell(event.event, event.name, event.detail)
        else:
            event.log()

    def forget(self, name: str) -> str:
        """The worker of the input `name` is gone; returns the stage that was in progress, "" if none was.

        What a dead worker was doing is no fault of this process, so its journal must not say that it is still done.
        """
        with self._lock:
            stage = self._stages.pop(name, "")
        if stage:
            self._journal.tell("end", name, stage)
        return stage
