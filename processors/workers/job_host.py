"""Works on videos away from the driver of the run: owns the models, reports what happens over a `JobLink`.

How a transport uses it is told in `processors/workers/job_link.py`.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
import time
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from processors.batch.executor import JobOutcome, VideoJob
from processors.batch.run_journal import RunJournal
from processors.workers.job_link import HostSetup, JobLink, JournalEntry, StageProgress, TurnQuestion
from processors.workers.remote_namer import RemoteNamer
from processors.workers.render_work import Analysed, RenderWork, ShareMade, Work
from processors.workers.stage_runner import StageRunner
from processors.workers.video_processor_factory import MakeProcessor, VideoProcessorFactory
from processors.workers.video_work import AnalysedVideo, analyse_video, finish_video, hand_over, render_work
from utils.console.log_forwarding import forward_logs
from utils.console.stage_monitor import StageMonitor
from utils.processes.malloc_tuning import give_back_memory

_PROGRESS_INTERVAL_S = 0.2
_OF_THE_MACHINE = ("threads", "cache_dir", "scratch", "facenet_weights", "speech_weights")
"""settings of the section run that the setup gives, not the job"""


@dataclass(frozen=True, slots=True)
class SetAside:
    """The video of a job is analysed, the analysis is stored, and others have to be named first.

    Whoever is given the job again, when it is its turn, goes on from there. analyse_s: time that the analysis took,
    seconds. analysis_cached: it was stored before.
    """

    analyse_s: float
    analysis_cached: bool


WorkOutcome = JobOutcome | SetAside | Analysed | ShareMade


class JobHost:
    """Carries out one job at a time. Its models stay loaded between jobs."""

    def __init__(self, setup: HostSetup, link: JobLink, make_processor: MakeProcessor | None = None) -> None:
        """make_processor: None for real ones."""
        run = replace(setup.settings.run, threads=setup.threads)
        self._settings = replace(setup.settings, run=run)
        self._link = link
        self._log_levels = setup.log_levels
        self._handover = setup.handover
        factory = VideoProcessorFactory(self._settings, setup.output_dir, names=RemoteNamer(link))
        self._make_processor = make_processor or factory
        self._release_models = factory.release
        self._stages = StageRunner(_LinkJournal(link))

    def forward_log(self) -> None:
        """Send all log messages of this process to the driver from now on."""
        forward_logs(self._link.send, self._log_levels)

    def carry_out(self, work: Work) -> WorkOutcome:
        """Do `work`; never raises.

        Returns:
            How it ended; with the result None if this process can no longer use its GPU, and a new one has to repeat
            the work.
        """
        return self._render(work) if isinstance(work, RenderWork) else self._make_video(work)

    def _make_video(self, job: VideoJob) -> WorkOutcome:
        job = self._with_own_run_settings(job)
        monitor = _LinkMonitor(self._link, job.source.name)
        analysed: list[AnalysedVideo] = []
        handed_over: list[Analysed] = []

        def analyse() -> None:
            analysed.append(analyse_video(job, monitor, self._make_processor))
            if self._handover is not None:
                handed_over.append(hand_over(analysed[0], self._handover))

        try:
            outcome = self._stages.run(job.source, "analyse", analyse)
            give_back_memory()
            if outcome is None and handed_over:
                return handed_over[0]
            if outcome is None and self._is_turn(job):
                outcome = self._stages.run(job.source, "finish", functools.partial(finish_video, analysed[0]))
            return outcome or SetAside(analysed[0].analyse_s, analysed[0].record.cached)
        finally:
            # An analysis may be large: it is not kept while waiting for the next job.
            analysed.clear()
            give_back_memory()

    def _render(self, work: RenderWork) -> WorkOutcome:
        """Needs no models."""
        if self._handover is None:
            raise RuntimeError("this worker does not hand analyses over")
        work = dataclasses.replace(work, job=self._with_own_run_settings(work.job))
        monitor = _LinkMonitor(self._link, work.job.source.name, work.share or 0, work.shares)
        render = functools.partial(render_work, work, self._handover, monitor, self._make_processor)
        begun = time.monotonic()
        try:
            outcome = self._stages.run(work.job.source, "finish", render, is_reported=work.share is None)
            return outcome or ShareMade(time.monotonic() - begun)
        finally:
            give_back_memory()

    def close(self) -> None:
        """Free the models."""
        self._release_models()

    def _is_turn(self, job: VideoJob) -> bool:
        # An analysis that is not stored would be made twice.
        if not job.settings.run.cache:
            return True
        try:
            return bool(self._link.ask(TurnQuestion(job.fingerprint)))
        except Exception:
            return True  # what is wrong is met again when people are named, and said there

    def _with_own_run_settings(self, job: VideoJob) -> VideoJob:
        own = {name: getattr(self._settings.run, name) for name in _OF_THE_MACHINE}
        return dataclasses.replace(job, settings=replace(job.settings, run=replace(job.settings.run, **own)))


class _LinkJournal(RunJournal):
    """Sends what happens to the driver."""

    def __init__(self, link: JobLink) -> None:
        super().__init__()
        self._link = link

    @property
    def can_restart(self) -> bool:
        return True

    def tell(self, event: str, name: str, detail: Any) -> None:
        # A worker broke, not the run: the driver learns of it from the outcome.
        if event != "blame":
            self._link.send(JournalEntry(event, name, detail))


class _LinkMonitor(StageMonitor):
    """Sends progress to the driver, a few times a second and when a stage is complete."""

    def __init__(self, link: JobLink, name: str, share: int = 0, shares: int = 1) -> None:
        super().__init__(link.stop)
        self._link = link
        self._name = name
        self._share = (share, shares)
        self._lock = threading.Lock()
        self._sent: dict[str, float] = {}

    def update(self, stage: str, done: float, total: float) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._sent.get(stage, -_PROGRESS_INTERVAL_S) < _PROGRESS_INTERVAL_S and not done == total > 0:
                return
            self._sent[stage] = now
        self._link.send(StageProgress(self._name, stage, done, total, *self._share))
