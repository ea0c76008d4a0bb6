"""What workers report arrives in the display, the journal and the log of the run."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from processors.batch.run_journal import RunJournal
from processors.workers.job_link import JournalEntry, StageProgress
from processors.workers.remote_monitor import RemoteMonitor
from utils.console.batch_monitor import BatchMonitor
from utils.console.log_forwarding import SentMessage


class Journal(RunJournal):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str, Any]] = []

    def tell(self, event: str, name: str, detail: Any) -> None:
        self.told.append((event, name, detail))


class Shown(BatchMonitor):
    def __init__(self) -> None:
        super().__init__()
        self.stages: list[tuple[str, str, float, float]] = []

    def stage(self, name: str, stage: str, done: float, total: float) -> None:
        self.stages.append((name, stage, done, total))


def test_events_arrive(caplog: pytest.LogCaptureFixture) -> None:
    shown, journal = Shown(), Journal()
    remote = RemoteMonitor(shown, journal)
    remote.receive(JournalEntry("begin", "a", "analyse"))
    remote.receive(StageProgress("a", "analyse", 3, 9))
    with caplog.at_level(logging.INFO):
        remote.receive(SentMessage("core.x", logging.WARNING, "odd frame", ("a", "analyse"), 0.0))
    assert shown.stages == [("a", "analyse", 3, 9)]
    assert [record.getMessage() for record in caplog.records] == ["odd frame"]
    assert journal.told == [("begin", "a", "analyse")]


def test_the_stage_of_a_dead_worker_has_ended_for_the_journal() -> None:
    journal = Journal()
    remote = RemoteMonitor(BatchMonitor(), journal)
    remote.receive(JournalEntry("begin", "a", "analyse"))
    remote.receive(JournalEntry("end", "a", "analyse"))
    remote.receive(JournalEntry("begin", "a", "finish"))
    assert remote.forget("a") == "finish"
    assert journal.told[-1] == ("end", "a", "finish")
    assert remote.forget("a") == ""


def test_what_every_worker_finds_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    remote = RemoteMonitor(BatchMonitor(), Journal())
    with caplog.at_level(logging.INFO):
        for video in "ab":
            for logger, message in (("core.model_manager", "no weights"), ("core.media.video_reader", "odd frame")):
                remote.receive(SentMessage(logger, logging.WARNING, message, (video, "analyse"), 0.0))
    assert [record.getMessage() for record in caplog.records] == ["no weights", "odd frame", "odd frame"]


def test_several_workers_are_in_one_stage_of_a_video() -> None:
    """The first begins it and the last ends it, and what they have done is added up."""
    shown, journal = Shown(), Journal()
    remote = RemoteMonitor(shown, journal)
    for _ in range(3):
        remote.receive(JournalEntry("begin", "a", "finish"))
    remote.receive(StageProgress("a", "render", 10, 40, 0, 3))
    remote.receive(StageProgress("a", "render", 20, 80, 2, 3))
    remote.receive(StageProgress("a", "render", 60, 60, 1, 3))
    assert shown.stages == [("a", "render", 10, 120), ("a", "render", 30, 180), ("a", "render", 90, 180)]
    remote.receive(JournalEntry("end", "a", "finish"))
    assert remote.forget("a") == "finish"
    assert journal.told == [("begin", "a", "finish")]
    remote.receive(JournalEntry("end", "a", "finish"))
    assert journal.told == [("begin", "a", "finish"), ("end", "a", "finish")]
