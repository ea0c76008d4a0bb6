"""The batch: what is done already is skipped, the rest goes through three workers, a bad file never stops the others.

While one worker encodes the clips of a video, another analyses the next one, and a third looks at those that follow:

    [inspect] -> jobs -> [analyse] -> queue of one -> [finish] -> summary.json

The main thread only waits, so that Ctrl-C is answered at once whatever the workers are in.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from config import Settings
from core.analysis_file import AnalysisRecord
from core.errors import (
    DeadDeviceError,
    GPUMemoryError,
    InterruptedRunError,
    ModelError,
    OutputError,
    PipelineError,
    ToolMissingError,
)
from core.types import VideoInfo
from processors.batch.batch_inputs import BatchInput
from processors.batch.batch_inspection import Job, inspect_input, one_line_reason
from processors.batch.batch_summary import BatchSummary, InputResult, Status
from processors.batch.folder_claims import FolderClaims
from processors.batch.index_writer import write_index
from processors.batch.run_journal import RunJournal, UnfinishedWork
from processors.batch.video_processor_factory import MakeProcessor, Processor, VideoProcessorFactory
from processors.results.output_folder import output_lock, remove_leftovers
from utils.json_log import log_context
from utils.malloc_tuning import give_back_memory
from utils.progress_bars import BatchMonitor

if TYPE_CHECKING:
    pass

logger = logging.getLogger(__name__)

_Item = TypeVar("_Item")

_POLL_S = 0.1
_LEAVE_S = 1.2
"""how long the workers have to leave in order after an interruption"""


def run_batch(
    inputs: Sequence[BatchInput],
    output_dir: Path,
    settings: Settings,
    monitor: BatchMonitor,
    make_processor: MakeProcessor | None = None,
    journal: RunJournal | None = None,
) -> BatchSummary:
    """Process `inputs` into folders below `output_dir` and write summary.json and index.html there.

    journal: is told of each step, and knows what earlier processes of this run did. An input that was worked on when
    one of them crashed is tried once more, alone and before the others.

    Setting `monitor.stop`, or a KeyboardInterrupt in the calling thread, ends the batch within about two
    seconds; the summary then says what was done.

    Raises:
        OutputError: `output_dir` cannot be written, or another run is writing there.
    """
    journal = journal or RunJournal()
    with output_lock(output_dir), UnfinishedWork(output_dir, continued=bool(journal.history.crashes)) as unfinished:
        remove_leftovers(output_dir)
        factory = VideoProcessorFactory(settings)
        batch = _Batch(
            inputs, output_dir, settings, monitor, make_processor or factory, factory.release, journal, unfinished
        )
        summary = batch.run()
        if summary.abandoned:
            with contextlib.suppress(OSError):
                remove_leftovers(output_dir)
        try:
            summary.write(output_dir)
            write_index(output_dir, summary)
        except OSError as error:
            raise OutputError(f"cannot write the summary: {error.strerror}", path=output_dir) from error
    return summary


_Analysed = tuple[Job, Processor, AnalysisRecord, float]
"""what goes from one worker to the other; the number is the time the analysis took, seconds"""


class _Batch:
    """One run over all inputs; its workers share nothing but the queues and the results."""

    def __init__(
        self,
        inputs: Sequence[BatchInput],
        output_dir: Path,
        settings: Settings,
        monitor: BatchMonitor,
        make_processor: MakeProcessor,
        all_analysed: Callable[[], None],
        journal: RunJournal,
        unfinished: UnfinishedWork,
    ) -> None:
        """all_analysed: called when no video is left to be analysed."""
        self._inputs = inputs
        self._settings = settings
        self._monitor = monitor
        self._stop = monitor.stop
        self._make_processor = make_processor
        self._all_analysed = all_analysed
        self._journal = journal
        self._unfinished = unfinished
        self._results: dict[str, InputResult] = dict(journal.history.results)
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._claims = FolderClaims(output_dir, inputs)
        self._analysed: queue.Queue[_Analysed | None] = queue.Queue(maxsize=1)
        self._fatal: PipelineError | None = None
        self._restart = False
        self._bug: BaseException | None = None

    def run(self) -> BatchSummary:
        started = time.monotonic()
        self._monitor.begin(len(self._inputs))
        workers = [
            self._worker("inspect", self._inspect_all),
            self._worker("analyse", self._analyse_all),
            self._worker("finish", self._finish_all),
        ]
        try:
            for worker in workers:
                worker.start()
            while _alive(workers) and not self._stop.is_set():
                _join(workers, _POLL_S)
        except KeyboardInterrupt:
            self._stop.set()
        interrupted = self._stop.is_set() and self._fatal is None and self._bug is None and not self._restart
        if interrupted:
            logger.warning("stopping")
        # A Ctrl-C from here on means: do not even wait.
        with contextlib.suppress(KeyboardInterrupt):
            _join(workers, _LEAVE_S)
        if self._bug is not None:
            raise self._bug
        return BatchSummary(
            results=tuple(self._results.get(source.name) or _not_reached(source) for source in self._inputs),
            wall_s=time.monotonic() - started,
            fatal=self._fatal,
            interrupted=interrupted,
            abandoned=_alive(workers),
            restart=self._restart,
        )

    def _worker(self, name: str, work: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                work()
            except BaseException as error:
                self._bug = error
                self._stop.set()

        # A daemon, because a worker stuck in foreign code must not keep the process alive after Ctrl-C.
        return threading.Thread(target=guarded, name=name, daemon=True)

    def _inspect_all(self) -> None:
        """Find out what is to be done about each input, while those before it are worked on."""
        history = self._journal.history
        sources = [source for source in self._inputs if source.name not in history.results]
        suspects = [source for source in sources if source.name in history.suspects]
        for source in suspects:
            cause = history.crashes[source.name].cause
            logger.warning(
                "%s: the program crashed while working on it (%s); trying it once more, alone", source.name, cause
            )
            self._work_alone(source)
        for source in sources:
            if self._is_ending():
                break
            if crash := history.left_out(source.name):
                self._fail(source, crash.reason)
            elif source not in suspects:
                self._attempt(source, "probe", functools.partial(self._inspect, source, self._jobs.put))
        cached = sum(result.status == "cached" for result in self._results.values())
        if cached:
            logger.info("%d of %d already done (--overwrite does them again)", cached, len(self._inputs))
        self._jobs.put(None)

    def _work_alone(self, source: BatchInput) -> None:
        """Everything about one input, while no other is touched: if the program crashes now, it is this one."""
        jobs: list[Job] = []
        analysed: list[_Analysed] = []
        self._attempt(source, "probe", functools.partial(self._inspect, source, jobs.append))
        for job in jobs:
            self._attempt(source, "analyse", functools.partial(self._analyse, job, analysed.append))
        for item in analysed:
            self._attempt(source, "finish", functools.partial(self._finish, *item))
        give_back_memory()

    def _inspect(self, source: BatchInput, deliver: Callable[[Job], None]) -> None:
        inspection = inspect_input(source, self._claims, self._settings)
        if inspection.job is not None:
            self._monitor.expect(source.name, _weight(inspection.job.info))
            deliver(inspection.job)
        elif inspection.manifest is not None:
            self._record(_result(source, inspection.folder, "cached", inspection.manifest))
        elif inspection.same_as is not None:
            self._record(_duplicate(source, inspection.folder, inspection.same_as))
        else:
            self._fail(source, inspection.reason)

    def _analyse_all(self) -> None:
        while (job := self._take(self._jobs)) is not None and not self._is_ending():
            self._attempt(job.source, "analyse", functools.partial(self._analyse, job, self._put))
            give_back_memory()
        # Encoders, which take as much again, may go on for long.
        self._all_analysed()
        give_back_memory()
        self._put(None)

    def _analyse(self, job: Job, deliver: Callable[[_Analysed], None]) -> None:
        name = job.source.name
        monitor = self._monitor.video(name)
        processor = self._make_processor(job.info, job.folder, job.fingerprint, self._settings, monitor)
        # Loading the models is the batch's time, not the first video's.
        processor.prepare()
        started = time.monotonic()
        record = processor.analyse()
        deliver((job, processor, record, time.monotonic() - started))

    def _finish_all(self) -> None:
        while (item := self._take(self._analysed)) is not None:
            self._attempt(item[0].source, "finish", functools.partial(self._finish, *item))
            # The next analysis may be large; this one must not be kept until it comes.
            del item
            give_back_memory()
            if self._fatal is not None:
                self._stop.set()

    def _finish(self, job: Job, processor: Processor, record: AnalysisRecord, analyse_s: float) -> None:
        started = time.monotonic()
        manifest = processor.finish(record)
        wall_s = analyse_s + time.monotonic() - started
        self._record(_result(job.source, job.folder, "done", manifest, wall_s, analysis_cached=record.cached))

    def _attempt(self, source: BatchInput, stage: str, work: Callable[[], None]) -> None:
        """Do `work`; an error becomes the input's result, and one that concerns all inputs ends the batch."""
        with (
            log_context(source.name, stage),
            self._unfinished.working_on(source.name, stage, source.label),
            self._journal.working_on(source.name, stage),
        ):
            self._try(source, work)

    def _try(self, source: BatchInput, work: Callable[[], None]) -> None:
        try:
            work()
        except InterruptedRunError:
            self._record(InputResult(source.label, source.name, "interrupted", "stopped before it was done"))
        except DeadDeviceError as error:
            if self._journal.can_restart:
                logger.warning("%s: %s; going on in a new process", source.label, error.message)
                self._journal.blame(source.name, "analyse")
                self._restart = True
            else:
                self._fail(source, one_line_reason(source, error))
        except Exception as error:
            # Too little memory on the GPU concerns this video's pictures; the next one's may be smaller.
            if isinstance(error, (ModelError, ToolMissingError)) and not isinstance(error, GPUMemoryError):
                self._fatal = self._fatal or error
            self._fail(source, one_line_reason(source, error))

    def _is_ending(self) -> bool:
        """Whether no further input is to be begun."""
        return self._stop.is_set() or self._restart or self._fatal is not None

    def _fail(self, source: BatchInput, reason: str) -> None:
        self._record(InputResult(source.label, source.name, "failed", reason))

    def _record(self, result: InputResult) -> None:
        self._results[result.name] = result
        self._journal.record(result)
        if result.status == "done":
            logger.info("%s: done, %d people, %d clips", result.folder, result.people, result.clips)
        elif result.status == "duplicate":
            logger.info("%s: %s, which is done in its place", result.label, result.reason)
        elif result.status == "failed":
            logger.error("%s: %s", result.name, result.reason)
        self._monitor.end_video(result.name)

    def _put(self, item: _Analysed | None) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._analysed.put(item, timeout=_POLL_S)
                return
        if item is not None:
            raise InterruptedRunError("stopped", path=item[0].info.path)

    def _take(self, source: queue.Queue[_Item | None]) -> _Item | None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Empty):
                return source.get(timeout=_POLL_S)
        return None


def _alive(workers: Sequence[threading.Thread]) -> bool:
    return any(worker.is_alive() for worker in workers)


def _join(workers: Sequence[threading.Thread], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    for worker in workers:
        if worker.is_alive():
            worker.join(max(0.0, deadline - time.monotonic()))


def _result(
    source: BatchInput,
    folder: Path | None,
    status: Status,
    manifest: dict[str, Any],
    wall_s: float = 0.0,
    *,
    analysis_cached: bool = False,
) -> InputResult:
    return InputResult(
        source.label,
        source.name,
        status,
        people=len(manifest["people"]),
        clips=len(manifest["clips"]),
        duration_s=manifest["video"]["duration_s"],
        wall_s=wall_s,
        analysis_cached=analysis_cached,
        folder="" if folder is None else folder.name,
    )


def _duplicate(source: BatchInput, folder: Path | None, other: BatchInput) -> InputResult:
    reason = f"the same video as {other.label}"
    return InputResult(source.label, source.name, "duplicate", reason, folder="" if folder is None else folder.name)


def _not_reached(source: BatchInput) -> InputResult:
    return InputResult(source.label, source.name, "interrupted", "not begun")


def _weight(info: VideoInfo) -> float:
    """Guess of the work on a video: its length; where that is unknown a minute."""
    return info.duration_s if info.duration_s > 0 else 60.0
