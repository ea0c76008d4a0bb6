"""Processes all inputs of a run: skips what is done, submits the rest to an executor, and collects the results.

    [thread inspect] -> [thread claim] -> executor -> results -> summary.json, index.html

An input that fails never stops the others. The main thread only waits, so that Ctrl-C takes effect at once, whatever
the other threads are doing.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from config import Settings
from core.errors import OutputError, PipelineError
from core.media.stream_choice import other_streams
from core.types import VideoInfo
from processors.batch.batch_inputs import BatchInput
from processors.batch.batch_inspection import Inspection, inspect_input
from processors.batch.batch_request import BatchRequest
from processors.batch.batch_summary import BatchSummary
from processors.batch.call_terms import call_terms, term_differences
from processors.batch.executor import Executor, JobOutcome
from processors.batch.folder_claims import FolderClaims
from processors.batch.input_result import InputResult, duplicate, failed, finished, interrupted, refused
from processors.batch.run_journal import RunJournal
from processors.batch.summary_pages import write_summary_pages
from processors.batch.video_claimer import VideoClaimer
from processors.results.output_folder import remove_leftovers
from processors.results.output_leases import OutputLeases, lies_in, mark_output_folder
from processors.results.staging import remove_old_scratch
from processors.workers.executor_choice import RunParts, executor_here, executor_of_processes
from processors.workers.stage_runner import StageRunner
from processors.workers.video_processor_factory import MakeProcessor, VideoProcessorFactory
from processors.workers.worker_count import worker_count
from processors.workers.worker_threads import WorkerThreads
from utils.console.batch_monitor import BatchMonitor

if TYPE_CHECKING:
    from processors.known_people.people_namer import PeopleNamer
    from processors.workers.worker_process import MakeHost

logger = logging.getLogger(__name__)

Inspect = Callable[[BatchInput, Inspection | None], Inspection]
"""inspects an input, for the first time (None) or after an earlier inspection that may no longer be true"""

_POLL_S = 0.1
_STOP_TIMEOUT_S = 1.2
"""how long the threads may take to end in order after an interruption"""


def run_batch(
    request: BatchRequest,
    monitor: BatchMonitor,
    make_processor: MakeProcessor | None = None,
    journal: RunJournal | None = None,
    make_host: MakeHost | None = None,
) -> BatchSummary:
    """Process the inputs of `request` into folders below its output folder; write the summary and the pages there.

    make_processor: for videos that are all processed here; None for real processors, here or in worker processes.
    make_host: in each worker process, on this machine or a node; None for the host of real processors.
    journal: receives the progress, and knows what earlier processes of this run did. An input that was in progress when
        one of them crashed is tried once more, alone and before the others.

    Setting `monitor.stop`, or a KeyboardInterrupt in the calling thread, ends the batch within about two seconds; the
    summary then lists what was done.

    Other calls may work on the same folder: each video is done by one of them.

    Raises:
        OutputError: the output folder cannot be written.
    """
    settings, output_dir = request.settings, request.output_dir
    journal = journal or RunJournal()
    with OutputLeases(mark_output_folder(output_dir)) as leases:
        _report_dead(leases, is_known=bool(journal.history.crashes))
        _remove_leftovers(request)
        own = make_processor if isinstance(make_processor, VideoProcessorFactory) else None
        factory = own or VideoProcessorFactory(settings, output_dir)
        # Processors that a caller hands in do not name people.
        namer = factory.namer if make_processor in (None, factory) else None
        parts = RunParts(
            settings, output_dir, monitor, journal, StageRunner(journal), WorkerThreads(monitor.stop), namer
        )
        workers = worker_count(settings, len(request.inputs)) if make_processor is None else 1
        uses_cluster = bool(settings.run.cluster) and make_processor is None
        if uses_cluster:
            from processors.cluster.cluster_executor import executor_of_cluster

            executor = executor_of_cluster(parts, _usable_files(request), make_host)
        elif workers > 1:
            executor = executor_of_processes(parts, workers, make_host)
        else:
            executor = executor_here(parts, make_processor or factory, factory.release)
        _join(leases, settings, uses_gallery=namer is not None and lies_in(namer.gallery_path, output_dir))
        inspect = _inspector(request, namer)
        summary = _Batch(request.inputs, inspect, parts, executor, leases, videos_at_a_time=workers).run()
        _report_dead(leases, is_known=bool(journal.history.crashes))
    with contextlib.suppress(OSError, OutputError):
        if summary.abandoned or workers > 1 or uses_cluster:
            remove_leftovers(output_dir)  # of workers that died
    write_summary_pages(output_dir, None if namer is None else namer.gallery_path, summary)
    return summary


def _usable_files(request: BatchRequest) -> list[Path]:
    return [source.path for source in request.inputs if not source.problem]


def _remove_leftovers(request: BatchRequest) -> None:
    """Remove what earlier calls that died have left in the output folder and in the scratch folder."""
    remove_leftovers(request.output_dir)
    if request.settings.run.scratch_folder is not None:
        with contextlib.suppress(OSError):
            remove_old_scratch(request.settings.run.scratch_folder)


def _join(leases: OutputLeases, settings: Settings, *, uses_gallery: bool) -> None:
    """Announce this call to others on the same folder; warn of those whose results will differ from this one's."""
    terms = call_terms(settings)
    for other in leases.join(terms, uses_gallery=uses_gallery):
        if differences := term_differences(other.terms, terms):
            logger.warning(
                "%s works on this folder under different conditions: %s", other.holder, ", ".join(differences)
            )


def _inspector(request: BatchRequest, namer: PeopleNamer | None) -> Inspect:
    """`inspect_input` for the inputs of one run."""
    claims, settings, given = FolderClaims(request.output_dir, request.inputs), request.settings, request.given

    def inspect(source: BatchInput, before: Inspection | None) -> Inspection:
        if before is not None:
            claims.look_again(source)
            # What another call has made since the first look is not to be made again, even with --overwrite.
            if settings.run.overwrite and before.is_outdated:
                kept = replace(settings, run=replace(settings.run, overwrite=False))
                found = inspect_input(source, claims, kept, namer, given)
                if found.manifest is not None:
                    return found
        return inspect_input(source, claims, settings, namer, given)

    return inspect


def _report_dead(leases: OutputLeases, *, is_known: bool) -> None:
    """Remove what calls that died have left of their leases. is_known: it was a worker of this run, which was told."""
    abandoned = leases.remove_dead()
    if abandoned and not is_known:
        logger.warning("another run into this folder ended abruptly while processing %s", ", ".join(abandoned))


class _Batch:
    """One run over all inputs: inspects them, submits jobs and collects results."""

    def __init__(
        self,
        inputs: Sequence[BatchInput],
        inspect: Inspect,
        parts: RunParts,
        executor: Executor,
        leases: OutputLeases,
        videos_at_a_time: int,
    ) -> None:
        self._inputs = inputs
        self._inspect_input = inspect
        self._monitor = parts.monitor
        self._history = parts.journal.history
        self._stages = parts.stages
        self._threads = parts.threads
        self._videos_at_a_time = videos_at_a_time
        self._claimer = VideoClaimer(executor, leases, self._look_again, self._is_ending, self._collect_future)
        self._results: dict[str, InputResult] = dict(self._history.results)
        self._fatal: PipelineError | None = None
        self._restart = False
        self._threads.add("inspect", self._inspect_all)
        self._threads.add("claim", self._claimer.run)

    def run(self) -> BatchSummary:
        stop, threads = self._monitor.stop, self._threads
        started = time.monotonic()
        self._monitor.begin(len(self._inputs), self._videos_at_a_time)
        try:
            threads.start()
            while threads.alive and not stop.is_set():
                threads.join(_POLL_S)
        except KeyboardInterrupt:
            stop.set()
        was_interrupted = stop.is_set() and self._fatal is None and threads.bug is None and not self._restart
        if was_interrupted:
            logger.warning("stopping")
        # Another Ctrl-C skips this wait.
        with contextlib.suppress(KeyboardInterrupt):
            threads.join(_STOP_TIMEOUT_S)
        if threads.bug is not None:
            raise threads.bug
        return BatchSummary(
            results=tuple(self._results.get(s.name) or interrupted(s, "not started") for s in self._inputs),
            wall_s=time.monotonic() - started,
            fatal=self._fatal,
            interrupted=was_interrupted,
            abandoned=threads.alive,
            restart=self._restart,
        )

    def _inspect_all(self) -> None:
        """Inspect the inputs in order, while the executor processes those that were submitted before."""
        sources = [source for source in self._inputs if source.name not in self._history.results]
        suspects = [source for source in sources if source.name in self._history.suspects]
        for source in suspects:
            if self._is_ending():
                break
            cause = self._history.crashes[source.name].cause
            logger.warning("%s: the program crashed while processing it (%s); retrying it alone", source.name, cause)
            self._inspect(source)
            while source.name not in self._results and not self._is_ending():
                self._monitor.stop.wait(_POLL_S)
        for source in sources:
            if self._is_ending():
                break
            if crash := self._history.left_out(source.name):
                result = failed(source, crash.reason)
                self._stages.report(result)
                self._collect(JobOutcome(result))
            elif source not in suspects:
                self._inspect(source)
        cached = sum(result.status == "cached" for result in self._results.values())
        if cached:
            logger.info("%d of %d already done (--overwrite processes them again)", cached, len(self._inputs))
        self._claimer.close()

    def _inspect(self, source: BatchInput) -> None:
        """Find out what has to be done about `source`, and have its job claimed if there is one."""
        inspection = self._look(source)
        if inspection is not None and inspection.job is not None:
            self._monitor.expect(source.name, _weight(inspection.job.info))
            self._claimer.add(source, inspection)

    def _look_again(self, source: BatchInput, before: Inspection) -> Inspection | None:
        return self._look(source, before)

    def _look(self, source: BatchInput, before: Inspection | None = None) -> Inspection | None:
        """The inspection of `source` if it has found a job; else None, and the input's result is collected."""
        found: list[Inspection] = []
        outcome = self._stages.run(source, "probe", functools.partial(self._probe, source, before, found))
        if outcome is not None:
            self._collect(outcome)
        return next(iter(found), None)

    def _probe(self, source: BatchInput, before: Inspection | None, found: list[Inspection]) -> InputResult | None:
        inspection = self._inspect_input(source, before)
        if inspection.follows:
            logger.info("%s: its clips keep the settings they were made with: %s", source.label, inspection.follows)
        if inspection.job is not None:
            if inspection.replaces:
                logger.info("%s: replacing %s", source.label, inspection.replaces)
            if streams := other_streams(inspection.job.info):
                logger.info("%s: %s", source.label, streams)
            found.append(inspection)
            return None
        if inspection.manifest is not None and inspection.reason:
            return refused(source, inspection.folder, inspection.manifest, inspection.reason)
        if inspection.manifest is not None:
            if before is not None:
                logger.info("%s: done by another run", source.label)
            return finished(source, inspection.folder, "cached", inspection.manifest)
        if inspection.same_as is not None:
            return duplicate(source, inspection.folder, inspection.same_as)
        return failed(source, inspection.reason)

    def _collect(self, outcome: JobOutcome) -> None:
        self._fatal = self._fatal or outcome.fatal
        if outcome.result is None:
            self._restart = True
            return
        self._results[outcome.result.name] = outcome.result
        self._monitor.end_video(outcome.result.name)

    def _collect_future(self, future: Future[JobOutcome]) -> None:
        # A future logs and ignores what its callbacks raise.
        self._threads.guard(lambda: self._collect(future.result()))

    def _is_ending(self) -> bool:
        """Whether no further input is to be started."""
        return self._monitor.stop.is_set() or self._restart or self._fatal is not None


def _weight(info: VideoInfo) -> float:
    """Estimate the work on a video: its length in seconds, or a minute if that is unknown."""
    return info.duration_s if info.duration_s > 0 else 60.0
