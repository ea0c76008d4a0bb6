"""The seam between the batch and whatever processes its videos.

The batch (`processors/batch_runner.py`) finds out what has to be done about each input, which is cheap, and submits one
job per video; an executor processes it and returns the outcome. `VideoPipeline` works in this process, `WorkerPool` in
several others. Jobs and outcomes are plain values that can be pickled.

A crash of this process is handled one level up: `worker_supervisor` starts a new process for the whole batch, and the
batch first submits the jobs that were in progress, one at a time. An executor with other processes deals with theirs.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from config import Settings
from core.errors import PipelineError
from core.lease import LeaseTicket
from core.types import VideoInfo
from processors.batch.batch_inputs import BatchInput
from processors.batch.input_result import InputResult
from processors.video.video_request import VideoRequest
from utils.fingerprints import Fingerprint


@dataclass(frozen=True, slots=True)
class VideoJob:
    """A video that has to be processed.

    folder: its output folder. settings: those that the folder is made with. lease: of the folder; None before it is
    taken.
    """

    source: BatchInput
    info: VideoInfo
    fingerprint: Fingerprint
    folder: Path
    settings: Settings
    lease: LeaseTicket | None = None

    @property
    def request(self) -> VideoRequest:
        """What the video's processor has to know."""
        return VideoRequest(self.info, self.folder, self.fingerprint, self.settings, self.lease)


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a job, or the inspection of an input, ended.

    result: of the input; None if this process can no longer use the GPU and a new one has to repeat the job.
    fatal: an error that concerns every job (a tool or a model is missing), so that no other should be started.
    """

    result: InputResult | None
    fatal: PipelineError | None = None

    @property
    def is_last(self) -> bool:
        """True if no further job should be started in this process."""
        return self.result is None or self.fatal is not None


class Executor(Protocol):
    """Processes videos in the order of submission.

    An executor observes the stop event of the run at least every 0.2 s and, once it is set, ends the jobs in progress
    with the status "interrupted". The future of a job that is never started stays pending.
    """

    def wait_for_capacity(self, timeout_s: float) -> bool:
        """Wait until a job that is submitted now would be begun at once; False if that takes longer.

        Whoever shares the inputs with other calls claims a video only then.
        """
        ...

    def submit(self, job: VideoJob) -> Future[JobOutcome]:
        """Queue `job`; does not block. The future never raises."""
        ...

    def close(self) -> None:
        """Tell the executor that no more jobs will come."""
        ...
