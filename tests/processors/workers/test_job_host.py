"""A worker's side of a job: what it reports, how it ends, and that the machine's settings are its own."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from core.errors import DeadDeviceError, DecodeError, ModelUnavailableError
from core.settings_file import load_settings
from processors.batch.executor import JobOutcome
from processors.workers.job_host import JobHost, SetAside, WorkOutcome
from processors.workers.job_link import JournalEntry, StageProgress, TurnQuestion
from tests.processors.workers.job_material import DirectLink, ScriptedVideo, host_setup, mark, nothing, video_job
from utils.console.log_forwarding import SentMessage, forward_logs, log_levels

pytestmark = pytest.mark.errors_expected  # a failed input is logged as an error


def carry_out(
    folder: Path, link: DirectLink, analyse: Any = nothing, finish: Any = nothing, settings: Settings | None = None
) -> WorkOutcome:
    host = JobHost(host_setup(folder), link, lambda job, monitor: ScriptedVideo(job, monitor, analyse, finish))
    return host.carry_out(video_job(folder, "a", settings))


def fails_with(error: Exception) -> Any:
    def fail(_: Any) -> None:
        raise error

    return fail


def test_stages_progress_and_the_result_are_reported(tmp_path: Path) -> None:
    link = DirectLink()
    outcome = carry_out(tmp_path, link, analyse=lambda monitor: monitor.update("analyse", 50, 50))
    assert isinstance(outcome, JobOutcome) and outcome.result is not None
    assert (outcome.result.status, outcome.result.people, outcome.result.clips) == ("done", 1, 2)
    assert link.events == [
        JournalEntry("begin", "a", "analyse"),
        StageProgress("a", "analyse", 50, 50),
        JournalEntry("end", "a", "analyse"),
        JournalEntry("begin", "a", "finish"),
        JournalEntry("result", "a", outcome.result),
        JournalEntry("end", "a", "finish"),
    ]
    assert len(pickle.dumps((link.events, outcome))) > 0, "all of it can be sent"


def test_progress_is_sent_a_few_times_a_second_but_never_without_its_end(tmp_path: Path) -> None:
    def analyse(monitor: Any) -> None:
        for frame in range(1000):
            monitor.update("analyse", frame + 1, 1000)

    link = DirectLink()
    carry_out(tmp_path, link, analyse)
    sent = [event.done for event in link.events if isinstance(event, StageProgress)]
    assert sent[0] == 1 and sent[-1] == 1000
    assert len(sent) < 100


def test_a_video_whose_turn_it_is_not_is_set_aside_once_its_analysis_is_stored(tmp_path: Path) -> None:
    finished: list[Any] = []
    link = DirectLink(lambda question: question != TurnQuestion(mark("a")))
    aside = carry_out(tmp_path, link, finish=finished.append)
    assert isinstance(aside, SetAside) and not aside.analysis_cached
    assert finished == []
    without_cache = load_settings(None, {"run": {"cache": False}})
    outcome = carry_out(tmp_path, link, finish=finished.append, settings=without_cache)
    assert isinstance(outcome, JobOutcome) and len(finished) == 1


def test_a_failure_is_the_outcome(tmp_path: Path) -> None:
    outcome = carry_out(tmp_path, DirectLink(), fails_with(DecodeError("damaged", path="a.mp4")))
    assert isinstance(outcome, JobOutcome) and outcome.result is not None
    assert (outcome.result.status, outcome.result.reason) == ("failed", "damaged")
    missing = ModelUnavailableError("no weights")
    outcome = carry_out(tmp_path, DirectLink(), fails_with(missing))
    assert isinstance(outcome, JobOutcome) and outcome.fatal is missing


def test_a_dead_gpu_asks_for_a_new_process_and_blames_nobody(tmp_path: Path) -> None:
    link = DirectLink()
    assert carry_out(tmp_path, link, fails_with(DeadDeviceError("gone"))) == JobOutcome(None)
    assert [event.event for event in link.events if isinstance(event, JournalEntry)] == ["begin", "end"]


def test_settings_of_the_machine_are_the_worker_s(tmp_path: Path) -> None:
    seen: list[Settings] = []

    def make(job: Any, monitor: Any) -> ScriptedVideo:
        seen.append(job.settings)
        return ScriptedVideo(job, monitor, nothing, nothing)

    setup = host_setup(tmp_path, load_settings(None, {"run": {"cache_dir": "/here", "threads": 8}}), threads=2)
    wanted = load_settings(None, {"run": {"cache_dir": "/there", "overwrite": True}, "clip": {"size": 256}})
    JobHost(setup, DirectLink(), make).carry_out(video_job(tmp_path, "a", wanted))
    assert (seen[0].run.threads, seen[0].run.cache_dir) == (2, "/here")
    assert (seen[0].run.overwrite, seen[0].clip.size) == (True, 256)


def test_log_messages_go_to_the_driver(tmp_path: Path) -> None:
    def analyse(_: Any) -> None:
        logging.getLogger("core.x").warning("odd")

    link = DirectLink()
    root = logging.getLogger()
    before, levels = list(root.handlers), log_levels()
    try:
        host = JobHost(host_setup(tmp_path), link, lambda job, seen: ScriptedVideo(job, seen, analyse, nothing))
        host.forward_log()
        host.carry_out(video_job(tmp_path, "a"))
    finally:
        forward_logs(link.send, levels)
        root.handlers[:] = before
        logging.captureWarnings(False)
    said = [(event.context, event.message) for event in link.events if isinstance(event, SentMessage)]
    assert said[0] == (("a", "analyse"), "odd")
