"""A worker on a node: what it says is fetched in order, without loss, and questions do not wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import DecodeError, InterruptedRunError
from processors.cluster import cluster_worker as module
from processors.cluster.cluster_worker import ClusterWorker
from processors.workers.job_host import JobHost
from processors.workers.job_link import HostSetup, JobLink, StageProgress, TurnQuestion
from processors.workers.worker_process import Answered, Asked, Ended, Started
from tests.processors.workers.job_material import ScriptedVideo, host_setup, mark, nothing, video_job

pytestmark = pytest.mark.errors_expected  # a failed input is logged as an error


def worker_of(folder: Path, analyse: Callable[[Any], None] = nothing) -> ClusterWorker:
    def host(setup: HostSetup, link: JobLink) -> JobHost:
        return JobHost(setup, link, lambda job, monitor: ScriptedVideo(job, monitor, analyse, nothing))

    return ClusterWorker(host_setup(folder), host)


def carry_out(worker: ClusterWorker, folder: Path, answer: Any = True) -> list[Any]:
    """What the worker says about a job, the end included."""
    thread = threading.Thread(target=worker.carry_out, args=(video_job(folder, "a"),))
    thread.start()
    said: list[Any] = []
    while not any(isinstance(message, Ended) for message in said):
        for message in worker.fetch():
            said.append(message)
            if isinstance(message, Asked):
                worker.answer(Answered(message.number, answer))
    thread.join()
    return said


def stop_when(begun: threading.Event, worker: ClusterWorker) -> None:
    begun.wait(5)
    worker.stop()


def test_it_says_that_it_is_ready_and_everything_about_a_job_in_order(tmp_path: Path) -> None:
    worker = worker_of(tmp_path, lambda monitor: monitor.update("analyse", 5, 5))
    assert worker.fetch() == (Started(),)
    said = carry_out(worker, tmp_path)
    kinds = [getattr(message, "event", type(message).__name__) for message in said]
    assert kinds == ["begin", "StageProgress", "end", "Asked", "begin", "result", "end", "Ended"]
    assert said[3].question == TurnQuestion(mark("a"))
    assert said[-1].outcome.result.status == "done" and said[-1].trouble == ""


def test_small_messages_are_kept_together_and_silence_is_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COLLECT_S", 0.3)
    monkeypatch.setattr(module, "SILENCE_S", 0.05)
    worker = worker_of(tmp_path)
    worker.fetch()
    begun = time.monotonic()
    assert worker.fetch() == ()
    assert 0.04 < time.monotonic() - begun < 0.29
    for done in range(3):
        worker.mailbox.send(StageProgress("a", "analyse", done, 3))
    begun = time.monotonic()
    assert [message.done for message in worker.fetch()] == [0, 1, 2]  # type: ignore[union-attr]
    assert time.monotonic() - begun > 0.25


def test_an_error_is_raised_where_the_question_was_asked(tmp_path: Path) -> None:
    worker = worker_of(tmp_path)
    mailbox = worker.mailbox
    raised: list[Exception] = []

    def ask() -> None:
        try:
            mailbox.ask(TurnQuestion(mark("a")))
        except Exception as error:
            raised.append(error)

    def answer(number: int) -> None:
        worker.answer(Answered(number, error=DecodeError("odd")))

    def stop(_: int) -> None:
        worker.stop()

    for end in (answer, stop):
        thread = threading.Thread(target=ask)
        thread.start()
        asked: list[Any] = []
        while not asked:
            asked = [message for message in worker.fetch() if isinstance(message, Asked)]
        end(asked[0].number)
        thread.join(5)
    assert [type(error) for error in raised] == [DecodeError, InterruptedRunError]


def test_a_stop_ends_the_job_in_order(tmp_path: Path) -> None:
    begun = threading.Event()

    def analyse(monitor: Any) -> None:
        begun.set()
        monitor.stop.wait(20)
        raise InterruptedRunError("stopped")

    worker = worker_of(tmp_path, analyse)
    threading.Thread(target=stop_when, args=(begun, worker)).start()
    assert carry_out(worker, tmp_path)[-1].outcome.result.status == "interrupted"


def test_after_a_failure_the_node_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise DecodeError("damaged")

    monkeypatch.setattr(module, "free_space_problems", lambda settings, folder: [f"the disk of {folder} is full"])
    assert carry_out(worker_of(tmp_path, fail), tmp_path)[-1].trouble == f"the disk of {tmp_path} is full"
    assert carry_out(worker_of(tmp_path), tmp_path)[-1].trouble == ""
    monkeypatch.setattr(module, "free_space_problems", lambda settings, folder: [])
    assert carry_out(worker_of(tmp_path, fail), tmp_path)[-1].trouble == ""
