"""What a pool of workers works on: the videos that were submitted to it, and the tasks into which they are divided."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future
from dataclasses import dataclass, field

from processors.batch.executor import JobOutcome, VideoJob
from processors.workers.job_host import SetAside
from processors.workers.render_work import Analysed, Work
from processors.workers.worker_source import WorkerKind


@dataclass(slots=True, eq=False)
class PoolVideo:
    """A submitted job.

    before: what the worker that analysed the video has done; None until it has ended. analysis_key: of the analysis, if
    it was handed over, else "". shares_left: how many shares of the clips are still to be made. shares_s: time that the
    others took together, seconds. rest: to be begun when no share is left.
    """

    job: VideoJob
    future: Future[JobOutcome] = field(default_factory=Future)
    before: SetAside | Analysed | None = None
    analysis_key: str = ""
    shares_left: int = 0
    shares_s: float = 0.0
    rest: PoolTask | None = None

    def end(self, outcome: JobOutcome) -> None:
        """The job has ended; what earlier workers did for it is counted."""
        result = outcome.result
        if self.before is not None and result is not None and result.status == "done":
            # The analysis was made in this run, by whoever had the job first.
            wall_s = result.wall_s + self.before.analyse_s + self.shares_s
            result = dataclasses.replace(result, wall_s=wall_s, analysis_cached=self.before.analysis_cached)
            outcome = dataclasses.replace(outcome, result=result)
        self.future.set_result(outcome)


@dataclass(slots=True, eq=False)
class PoolTask:
    """What one worker is given of the work on `video`.

    needs: the kind of worker. stage: the only stage of the task, "" if it has several. is_share: others work on the
    same stage, so its worker does not report how the video has ended. losses: how many workers broke while they worked
    on it.
    """

    video: PoolVideo
    work: Work
    needs: WorkerKind
    stage: str = ""
    is_share: bool = False
    losses: int = 0
