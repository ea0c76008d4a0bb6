"""Who is idle, who is wanted, who hangs: a roster of scripted workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from processors.workers.pool_tasks import PoolTask, PoolVideo
from processors.workers.worker_roster import WorkerRoster
from processors.workers.worker_source import WorkerKind
from tests.processors.workers.job_material import video_job

VIDEOS, CLIPS = WorkerKind.VIDEOS, WorkerKind.CLIPS


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Source:
    """A `WorkerSource` of `ScriptedWorker`s. error: why none can be started, if that is so."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.error: OSError | None = None

    def start(self, kind: WorkerKind, inbox: Any) -> Any:
        if self.error is not None:
            raise self.error
        return ScriptedWorker(self.clock)


class ScriptedWorker:
    def __init__(self, clock: Clock) -> None:
        self.is_started, self.is_wanted = True, True
        self.clock = clock
        self.work: Any = None
        self.heard_at = clock()

    @property
    def silent_s(self) -> float:
        return self.clock() - self.heard_at

    def give(self, work: Any) -> None:
        self.work = work
        self.heard()

    def heard(self) -> None:
        self.heard_at = self.clock()


class Roster:
    def __init__(self, stall_limit_s: float = 5.0) -> None:
        self.clock = Clock()
        self.source = Source(self.clock)
        self.all = WorkerRoster(cast(Any, self.source), stall_limit_s, self.clock)

    def begin(self, task: PoolTask) -> Any:
        worker = self.all.idle(task.needs)
        assert worker is not None
        self.all.give(worker, task)
        return worker


def task_for(folder: Path, kind: WorkerKind, name: str = "a") -> PoolTask:
    job = video_job(folder, name)
    return PoolTask(PoolVideo(job), job, kind)


def test_a_worker_is_started_only_if_none_of_its_kind_is_idle(tmp_path: Path) -> None:
    roster = Roster()
    first, second = task_for(tmp_path, VIDEOS), task_for(tmp_path, CLIPS, "b")
    worker = roster.begin(first)
    assert worker.work is first.work and roster.all.task_of(worker) is first
    roster.all.take_back(worker)
    assert roster.all.task_of(worker) is None and roster.all.tasks == []
    other = roster.begin(second)
    assert other is not worker, "it is of another kind"
    assert (roster.all.busy(VIDEOS), roster.all.busy(CLIPS)) == (0, 1)
    assert roster.all.idle(VIDEOS) is worker
    assert roster.all.at_work_on(second.video) == [other] and roster.all.at_work_on(first.video) == []
    roster.all.remove(other)
    assert list(roster.all) == [worker] and other not in roster.all


def test_only_idle_workers_are_let_go(tmp_path: Path) -> None:
    roster = Roster()
    worker = roster.begin(task_for(tmp_path, VIDEOS))
    worker.is_wanted = False
    assert roster.all.unwanted() == []
    roster.all.take_back(worker)
    assert roster.all.unwanted() == [worker]


def test_where_there_is_no_room_nothing_is_started_for_a_while(tmp_path: Path) -> None:
    roster = Roster()
    idle = roster.begin(task_for(tmp_path, VIDEOS))
    roster.source.error = OSError(11, "full")
    with pytest.raises(OSError, match="full"):
        roster.all.idle(VIDEOS)
    roster.all.pause_starts()
    assert roster.all.idle(VIDEOS) is None
    roster.all.take_back(idle)
    assert roster.all.idle(VIDEOS) is idle, "one that is there may work"
    roster.source.error = None
    assert roster.all.idle(CLIPS) is None
    roster.clock.now += 61.0
    assert roster.all.idle(CLIPS) is not None


def seconds_pass(roster: Roster, seconds: float) -> list[tuple[Any, float]]:
    """Those that hang at the end; the roster looks every second."""
    found: list[tuple[Any, float]] = []
    for _ in range(int(seconds)):
        roster.clock.now += 1.0
        found = list(roster.all.hanging())
    return found


def test_a_silent_worker_hangs_unless_it_is_idle(tmp_path: Path) -> None:
    roster = Roster(stall_limit_s=5.0)
    silent, talks, idle = (roster.begin(task_for(tmp_path, VIDEOS, name)) for name in "abc")
    roster.all.take_back(idle)
    assert seconds_pass(roster, 4) == []
    talks.heard()
    assert seconds_pass(roster, 2) == [(silent, 5.0)]


def test_a_worker_that_starts_has_more_time(tmp_path: Path) -> None:
    roster = Roster(stall_limit_s=5.0)
    worker = roster.begin(task_for(tmp_path, VIDEOS))
    worker.is_started = False
    assert seconds_pass(roster, 119) == []
    assert seconds_pass(roster, 2) == [(worker, 120.0)]


def test_nobody_hangs_because_the_driver_was_suspended(tmp_path: Path) -> None:
    roster = Roster(stall_limit_s=5.0)
    worker = roster.begin(task_for(tmp_path, VIDEOS))
    assert seconds_pass(roster, 1) == []
    roster.clock.now += 3600.0
    assert roster.all.hanging() == []
    assert seconds_pass(roster, 6) == [(worker, 5.0)]
