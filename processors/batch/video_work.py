"""The two halves of the work on one video, for whoever divides them between threads or does both in turn."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from processors.batch.executor import VideoJob
from processors.batch.input_result import InputResult, finished
from processors.batch.video_processor_factory import MakeProcessor, Processor
from utils.stage_monitor import StageMonitor

if TYPE_CHECKING:
    from core.analysis_file import AnalysisRecord


@dataclass(frozen=True, slots=True)
class AnalysedVideo:
    """A job whose video is analysed. analyse_s: time that the analysis took, seconds."""

    job: VideoJob
    processor: Processor
    record: AnalysisRecord
    analyse_s: float


def analyse_video(job: VideoJob, monitor: StageMonitor, make_processor: MakeProcessor) -> AnalysedVideo:
    """Analyse the video of `job`; raises what a processor's `prepare` and `analyse` raise."""
    processor = make_processor(job, monitor)
    # The time to load the models belongs to the batch, not to its first video.
    processor.prepare()
    started = time.monotonic()
    record = processor.analyse()
    return AnalysedVideo(job, processor, record, time.monotonic() - started)


def finish_video(video: AnalysedVideo) -> InputResult:
    """Make everything that follows from the analysis; raises what a processor's `finish` raises."""
    started = time.monotonic()
    manifest = video.processor.finish(video.record)
    wall_s = video.analyse_s + time.monotonic() - started
    job = video.job
    return finished(job.source, job.folder, "done", manifest, wall_s, analysis_cached=video.record.cached)
