"""`main.py --dry-run`: list what a run would do with each input."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from pathlib import Path

from config import Settings
from core.media.stream_choice import other_streams
from processors.batch.batch_inputs import BatchInput
from processors.batch.batch_inspection import Inspection, inspect_input
from processors.batch.exit_codes import EXIT_DONE, EXIT_FAILED
from processors.batch.folder_claims import FolderClaims
from processors.batch.input_result import InputResult, Status
from processors.batch.run_journal import RunJournal
from processors.known_people.people_namer import PeopleNamer
from processors.workers.model_loader import load_models
from utils.console.stdout_guard import print_lines


def dry_run(
    inputs: Sequence[BatchInput], output_dir: Path, settings: Settings, journal: RunJournal, given: Collection[str]
) -> int:
    """Print one line for each input and change nothing; returns 1 if one of them cannot be processed, else 0.

    given: the settings that the user asks for, see `run_batch`. Inputs that an earlier process of this run has listed
    before it crashed are skipped.
    """
    claims = FolderClaims(output_dir, inputs)
    namer = PeopleNamer(settings, output_dir, functools.partial(load_models, settings))
    history = journal.history
    failed = any(result.status == "failed" for result in history.results.values())
    for source in inputs:
        if source.name in history.results:
            continue
        if crash := history.left_out(source.name):
            inspection = Inspection(reason=crash.reason)
        else:
            with journal.working_on(source.name, "probe"):
                inspection = inspect_input(source, claims, settings, namer, given)
        print_lines([f"{source.label}: {_plan(inspection)}"])
        status: Status = "failed" if inspection.reason else "cached"
        failed = failed or status == "failed"
        journal.record(InputResult(source.label, source.name, status))
    return EXIT_FAILED if failed else EXIT_DONE


def _plan(inspection: Inspection) -> str:
    if inspection.job is not None:
        info = inspection.job.info
        audio = "" if info.default_audio else ", no audio"
        streams = f", {others}" if (others := other_streams(info)) else ""
        facts = f"{info.codec} {info.width}x{info.height}, {info.duration_s:.1f} s{audio}{streams}"
        kept = f", keeping to {inspection.follows}" if inspection.follows else ""
        replaced = f", replacing {inspection.replaces}" if inspection.replaces else ""
        return f"to do ({facts}) -> {inspection.folder}{kept}{replaced}"
    if inspection.manifest is not None and not inspection.reason:
        return f"already done in {inspection.folder}"
    if inspection.same_as is not None:
        return f"the same video as {inspection.same_as.label}, processed once into {inspection.folder}"
    return f"{'cannot be processed' if inspection.manifest is None else 'refused'}: {inspection.reason}"
