"""The work on one video in two halves, `analyse` and `finish`, which may run on different threads or processes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from processors.batch.executor import VideoJob
from processors.batch.input_result import InputResult, finished
from processors.workers.analysis_handover import AnalysisHandover
from processors.workers.render_work import Analysed, RenderWork
from processors.workers.video_processor_factory import MakeProcessor, Processor
from utils.console.stage_monitor import StageMonitor

if TYPE_CHECKING:
    from core.analysis_file import AnalysisRecord


@dataclass(slots=True)
class AnalysedVideo:
    """A job whose video is analysed; only to be finished once.

    record: gone when `finish_video` has begun, because a part of it is enough from then on. analyse_s: time that the
    analysis took, seconds.
    """

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
    is_cached = video.record.cached
    manifest = video.processor.finish(_taken(video))
    wall_s = video.analyse_s + time.monotonic() - started
    job = video.job
    return finished(job.source, job.folder, "done", manifest, wall_s, analysis_cached=is_cached)


def _taken(video: AnalysedVideo) -> AnalysisRecord:
    record = video.record
    del video.record
    return record


def hand_over(video: AnalysedVideo, handover: AnalysisHandover) -> Analysed:
    """Leave the analysis to whoever makes the clips; raises what a processor's `draft` raises, and OutputError."""
    processor, record = video.processor, video.record
    draft = processor.draft(record, may_share=True)
    case = processor.naming_case(record, draft)
    handover.put(record)
    return Analysed(video.analyse_s, record.cached, record.key, draft, case)


def render_work(
    work: RenderWork, handover: AnalysisHandover, monitor: StageMonitor, make_processor: MakeProcessor
) -> InputResult | None:
    """Do `work`; None where it was a share. Raises what a processor's `make_share` or `finish` raises."""
    started = time.monotonic()
    job = work.job
    processor = make_processor(job, monitor)
    record = handover.get(work.key, job.info)
    if work.share is not None:
        processor.make_share(record, work.draft, work.names, work.share)
        return None
    manifest = processor.finish(record, work.draft, work.names)
    return finished(job.source, job.folder, "done", manifest, time.monotonic() - started)
