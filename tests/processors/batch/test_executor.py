"""Jobs and outcomes can be sent to another process."""

from __future__ import annotations

import pickle
from pathlib import Path

from config import Settings
from core.errors import ModelUnavailableError
from processors.batch.batch_inputs import BatchInput
from processors.batch.executor import JobOutcome, VideoJob
from processors.batch.input_result import InputResult
from tests.material.factories import video_info
from utils.fingerprints import Fingerprint


def test_a_job_is_a_plain_value(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    info = video_info(path, duration_s=2.0, frame_count=50)
    job = VideoJob(BatchInput(path, "a"), info, Fingerprint(1, "ab"), tmp_path / "out" / "a", Settings())
    assert pickle.loads(pickle.dumps(job)) == job


def test_an_outcome_keeps_its_error_on_the_way() -> None:
    error = ModelUnavailableError("no weights", path="w.pt", stage="models", hint="download them")
    outcome = pickle.loads(pickle.dumps(JobOutcome(InputResult("a.mp4", "a", "failed", "no weights"), error)))
    assert outcome.result == InputResult("a.mp4", "a", "failed", "no weights")
    assert type(outcome.fatal) is ModelUnavailableError
    assert (str(outcome.fatal), outcome.fatal.stage) == (str(error), "models")


def test_no_job_follows_a_fatal_error_or_a_broken_gpu() -> None:
    done = InputResult("a.mp4", "a", "done")
    assert not JobOutcome(done).is_last
    assert JobOutcome(done, ModelUnavailableError("no weights")).is_last
    assert JobOutcome(None).is_last
