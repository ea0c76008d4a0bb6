"""Receives what workers report: shows it, logs it, and enters it in the journal of the run."""

from __future__ import annotations

import threading

from processors.batch.run_journal import RunJournal
from processors.workers.job_link import JobEvent, JournalEntry, StageProgress
from utils.console.batch_monitor import BatchMonitor
from utils.console.log_forwarding import SentMessage

_OF_THE_MACHINE = ("core.model_manager", "core.models.", "core.media.h264_encoder", "processors.workers.model_loader")
"""loggers whose messages tell of networks, devices and encoders: every worker finds the same, and it is said once"""


class RemoteMonitor:
    """Receives the events of all workers. For any thread."""

    def __init__(self, monitor: BatchMonitor, journal: RunJournal) -> None:
        self._monitor = monitor
        self._journal = journal
        self._lock = threading.Lock()
        self._stages: dict[str, list[str]] = {}
        self._shares: dict[str, dict[int, StageProgress]] = {}
        self._said: set[str] = set()

    def receive(self, event: JobEvent) -> None:
        """Deal with an event; those of one worker come in their order."""
        if isinstance(event, StageProgress):
            done, total = self._progress_of_all_shares(event)
            self._monitor.stage(event.name, event.stage, done, total)
        elif isinstance(event, JournalEntry):
            self._enter(event)
        elif isinstance(event, SentMessage) and self._is_new(event):
            event.log()

    def forget(self, name: str) -> str:
        """The worker of the input `name` is gone; returns the stage that was in progress, "" if none was.

        What a dead worker was doing is no fault of this process, so its journal must not say that it is still done.
        """
        with self._lock:
            stage = self._stages.get(name, [""])[-1]
        if stage:
            self._enter(JournalEntry("end", name, stage))
        return stage

    def _enter(self, entry: JournalEntry) -> None:
        """Several workers may be in one stage of a video; the first begins it, the last ends it."""
        with self._lock:
            stages = self._stages.setdefault(entry.name, [])
            if entry.event == "begin":
                stages.append(entry.detail)
            elif entry.event == "end" and stages:
                stages.pop()
            is_alone = len(stages) == (entry.event == "begin")
            if not stages:
                del self._stages[entry.name]
        if is_alone or entry.event == "result":
            self._journal.tell(entry.event, entry.name, entry.detail)

    def _progress_of_all_shares(self, event: StageProgress) -> tuple[float, float]:
        """What is done of the stage, and of how much; shares that were not heard of yet are as large as the others."""
        if event.shares == 1:
            return event.done, event.total
        with self._lock:
            known = self._shares.setdefault(event.name, {})
            known[event.share] = event
            total = sum(one.total for one in known.values())
            done = sum(one.done for one in known.values())
            if len(known) == event.shares and done >= total:
                del self._shares[event.name]
        return done, total * event.shares / len(known)

    def _is_new(self, event: SentMessage) -> bool:
        if not event.logger.startswith(_OF_THE_MACHINE):
            return True
        with self._lock:
            is_new = event.message not in self._said
            self._said.add(event.message)
            return is_new
