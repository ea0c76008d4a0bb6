"""The driver's end of what workers report: shows it, logs it, and enters it in the journal of the run."""

from __future__ import annotations

import threading

from processors.batch.job_link import JobEvent, JournalEntry, StageProgress
from processors.batch.run_journal import RunJournal
from utils.batch_monitor import BatchMonitor
from utils.log_forwarding import SentMessage

_OF_THE_MACHINE = ("core.model_manager", "core.models.", "core.media.h264_encoder", "processors.batch.model_loader")
"""loggers whose messages tell of networks, devices and encoders: every worker finds the same, and it is said once"""


class RemoteMonitor:
    """Receives the events of all workers. For any thread."""

    def __init__(self, monitor: BatchMonitor, journal: RunJournal) -> None:
        self._monitor = monitor
        self._journal = journal
        self._lock = threading.Lock()
        self._stages: dict[str, str] = {}
        self._said: set[str] = set()

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
        elif self._is_new(event):
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

    def _is_new(self, event: SentMessage) -> bool:
        if not event.logger.startswith(_OF_THE_MACHINE):
            return True
        with self._lock:
            is_new = event.message not in self._said
            self._said.add(event.message)
            return is_new
