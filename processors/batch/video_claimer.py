"""Shares the videos of a run with other calls that work on the same output folder, on this machine or another.

    inspected inputs -> [thread claim] -> executor

A video is claimed when the executor has room for it, so that calls share the work one video at a time. One that
another call works on is passed over and looked at again until it is done there or its lease is nobody's any more.
"""

from __future__ import annotations

import dataclasses
import logging
import queue
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from core.errors import LeaseHeldError
from processors.batch.batch_inputs import BatchInput
from processors.batch.batch_inspection import Inspection
from processors.batch.executor import Executor, JobOutcome, VideoJob
from processors.results.output_leases import OutputLeases

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_LOOK_AGAIN_S = 1.0
"""between two looks at a video of another call; a look reads a small file"""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A video that has to be done by somebody. holder: who works on it, "" if nobody did at the last look.

    due: when to look again, as `time.monotonic` says.
    """

    source: BatchInput
    inspection: Inspection
    job: VideoJob
    holder: str = ""
    due: float = 0.0


class VideoClaimer:
    """Takes inspected inputs from one thread and hands jobs to the executor on another."""

    def __init__(
        self,
        executor: Executor,
        leases: OutputLeases,
        look_again: Callable[[BatchInput, Inspection], Inspection | None],
        is_ending: Callable[[], bool],
        on_done: Callable[[Future[JobOutcome]], None],
    ) -> None:
        """look_again: inspects an input anew and deals with it if no job is left to do for it, which is None.

        on_done: called with the future of every job; it must not raise.
        """
        self._executor = executor
        self._leases = leases
        self._look_again = look_again
        self._is_ending = is_ending
        self._on_done = on_done
        self._inspected: queue.Queue[_Waiting | None] = queue.Queue()
        self._elsewhere: deque[_Waiting] = deque()

    def add(self, source: BatchInput, inspection: Inspection) -> None:
        """Queue an input whose inspection has found a job."""
        if inspection.job is not None:
            self._inspected.put(_Waiting(source, inspection, inspection.job))

    def close(self) -> None:
        """Say that no more inputs will come."""
        self._inspected.put(None)

    def run(self) -> None:
        """Claim and submit until everything is done or with the executor; then close that."""
        is_open = True
        while (is_open or self._elsewhere) and not self._is_ending():
            if not self._executor.wait_for_capacity(_POLL_S):
                continue
            try:
                # Those of others are looked at between two of ours, too: what they have done counts as soon as it is.
                item = self._inspected.get(timeout=_POLL_S)
                is_open = is_open and item is not None
            except queue.Empty:
                item = None
            if item is None and self._elsewhere and self._elsewhere[0].due <= time.monotonic():
                item = self._elsewhere.popleft()
            if item is not None:
                self._claim(item)
        self._executor.close()

    def _claim(self, item: _Waiting) -> None:
        job = item.job
        try:
            lease = self._leases.take_video(job.folder, job.fingerprint, item.source.label)
        except LeaseHeldError as error:
            if error.holder != item.holder:
                logger.info("%s: being processed by %s", item.source.label, error.holder)
            due = time.monotonic() + _LOOK_AGAIN_S
            self._elsewhere.append(dataclasses.replace(item, holder=error.holder, due=due))
            return
        if item.holder or item.inspection.is_outdated:
            # Somebody else may have done it, under this or another name.
            lease.release()
            inspection = self._look_again(item.source, item.inspection)
            if inspection is not None and inspection.job is not None:
                self._elsewhere.appendleft(_Waiting(item.source, inspection, inspection.job))
            return

        def end(future: Future[JobOutcome]) -> None:
            lease.release()
            self._on_done(future)

        self._executor.submit(dataclasses.replace(job, lease=lease.ticket)).add_done_callback(end)
