"""Runs one stage of one input: reports it, and turns its errors into the input's outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable

from core.errors import DeadDeviceError, GPUMemoryError, InterruptedRunError, ModelError, ToolMissingError
from processors.batch.batch_inputs import BatchInput
from processors.batch.batch_inspection import one_line_reason
from processors.batch.executor import JobOutcome
from processors.batch.input_result import InputResult, failed, interrupted
from processors.batch.run_journal import RunJournal
from utils.console.json_log import log_context
from utils.console.plurals import count_of

logger = logging.getLogger(__name__)


class StageRunner:
    """Shared by all threads of a batch."""

    def __init__(self, journal: RunJournal) -> None:
        self._journal = journal

    def run(
        self, source: BatchInput, stage: str, work: Callable[[], InputResult | None], *, is_reported: bool = True
    ) -> JobOutcome | None:
        """Do `work`, which is `stage` ("probe", "analyse" or "finish") of `source`.

        work: returns the input's result if this stage is its last one, else None. Its exceptions become an outcome.
        is_reported: False where others work on the same stage, and the caller's caller reports how the input ended.

        Returns:
            How the input ended, or None if it continues with another stage.
        """
        with log_context(source.name, stage), self._journal.working_on(source.name, stage):
            outcome = self._attempt(source, work)
            # Within the block: a crash between the end of the stage and the report would repeat finished work.
            if is_reported and outcome is not None and outcome.result is not None:
                self.report(outcome.result)
            return outcome

    def report(self, result: InputResult) -> None:
        """Log the result of an input and enter it in the journal."""
        self._journal.record(result)
        if result.status == "done":
            people, clips = count_of(result.people, "person", "people"), count_of(result.clips, "clip")
            logger.info("%s: done, %s, %s", result.folder, people, clips)
        elif result.status == "duplicate":
            logger.info("%s: skipped, %s", result.label, result.reason)
        elif result.status in ("failed", "refused"):
            logger.error("%s: %s", result.name, result.reason)

    def _attempt(self, source: BatchInput, work: Callable[[], InputResult | None]) -> JobOutcome | None:
        try:
            result = work()
        except InterruptedRunError:
            return JobOutcome(interrupted(source, "stopped before it was done"))
        except DeadDeviceError as error:
            if not self._journal.can_restart:
                return JobOutcome(failed(source, one_line_reason(source, error)))
            logger.warning("%s: %s; continuing in a new process", source.label, error.message)
            self._journal.blame(source.name, "analyse")
            return JobOutcome(None)
        except (ModelError, ToolMissingError) as error:
            # Running out of GPU memory concerns this video only: the frames of the next one may be smaller.
            fatal = None if isinstance(error, GPUMemoryError) else error
            return JobOutcome(failed(source, one_line_reason(source, error)), fatal)
        except Exception as error:
            return JobOutcome(failed(source, one_line_reason(source, error)))
        return None if result is None else JobOutcome(result)
