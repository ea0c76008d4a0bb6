"""`main.py [run] [INPUT ...]`: process videos."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import difflib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from config import PROGRAM, VERSION
from core.options import options
from core.project_folders import INPUT_DIR
from core.settings_file import find_settings_file
from processors.batch.exit_codes import EXIT_FAILED, EXIT_USAGE
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, add_output, add_verbosity, existing_place, path
from processors.commands.command import print_error
from processors.commands.console import open_console, signals_to
from processors.commands.settings_flags import add_profile, add_settings, given_settings, settings_from
from utils.console.plurals import count_of
from utils.console.stdout_guard import print_lines

if TYPE_CHECKING:
    from config import Settings
    from processors.batch.batch_request import BatchRequest
    from processors.batch.batch_summary import BatchSummary
    from processors.commands.debug_bundle import DebugBundle
    from utils.console.batch_monitor import BatchMonitor

logger = logging.getLogger(__name__)

OTHER_COMMANDS = (
    "people", "rename", "merge", "split", "assign", "drop", "undo", "name", "link", "unlink", "forget", "render",
    "compare", "photos", "cache", "clean", "index", "config",
)  # fmt: skip

_EPILOG = """\
other commands (main.py COMMAND --help):
  people                      list the people in a video, or in all of them
  rename, merge, split, assign, drop, undo
                              correct who is who in a video; undo corrections
  name, link, unlink, forget  say who is who across videos
  render                      make the clips again after corrections
  compare, photos             compare photos; list who is in the photos of a folder, and sort them
  cache, clean                show or clear stored analyses; remove old results
  index                       rebuild the summary and the pages of an output folder
  config                      print a settings file with all settings and what they mean
  help COMMAND, version       what a command does; the program's version
exit codes: 0 all done, 1 some input failed, 2 usage or settings, 3 a tool or a model is missing, 130 interrupted.
Settings may also be given in a TOML file: one section for each group above, with "_" instead of "-", as min_face = 0.1
in section [analysis]. It is named by --config, or found as face-clips.toml beside the inputs, else in the folder
face-clips of your config folder (~/.config). Flags take precedence over --for, that over the file, the file over the
defaults. Finished videos keep the settings that they were made with, except for those of flags, --for and --config."""
_BUNDLE_HELP = (
    "write a zip for a bug report (default: debug-bundle.zip in this folder): log, versions, machine, settings, video "
    "properties, manifests, tracks.csv. It contains no video, images, faces, paths or names given to people, but it "
    "does contain the file names of the videos"
)


def parser() -> Parser:
    """Return the parser of `run`: its own flags, then one for each setting of `config.py`."""
    result = Parser(
        prog="main.py",
        usage="main.py [INPUT ...] [-o DIR] [--config FILE.toml] [options]",
        description="Find the people in videos and write steady, cropped clips with audio, one folder per person.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument(
        "inputs",
        nargs="*",
        type=existing_place,
        metavar="INPUT",
        help="videos, folders or glob patterns (default: videos/input)",
    )
    add_output(result)
    result.add_argument("--config", type=path, metavar="FILE.toml", help="settings file")
    add_profile(result)
    result.add_argument("--dry-run", action="store_true", help="only list what would be done")
    result.add_argument("--log-file", type=path, metavar="FILE", help="append a detailed log as JSON lines to FILE")
    result.add_argument(
        "--debug-bundle", nargs="?", type=_zip, const=Path("debug-bundle.zip"), metavar="FILE.zip", help=_BUNDLE_HELP
    )
    result.add_argument(
        "--progress",
        choices=("auto", "json"),
        default="auto",
        help="how to show progress on stderr: bars on a terminal and a line a minute elsewhere (auto), or JSON lines",
    )
    add_verbosity(result)
    result.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    add_settings(result, options())
    return result


def run(arguments: Sequence[str], journal: RunJournal) -> int:
    """Process the videos that `arguments` name; returns the exit code."""
    parsed = parser().parse_intermixed_args(arguments)
    found = None if parsed.config else find_settings_file([Path(place) for place in parsed.inputs or [INPUT_DIR]])
    settings, given = settings_from(parsed, found=found), given_settings(parsed)
    bundle = _debug_bundle(parsed, arguments, settings, journal)
    logs = [] if bundle is None else [bundle.log]
    console = open_console(parsed.verbosity, parsed.log_file, *logs, as_json=parsed.progress == "json")
    with bundle or contextlib.nullcontext(), console as monitor:
        if found is not None and not journal.history.crashes:
            logger.info("settings from %s", found)
        from processors.batch.batch_inputs import find_inputs
        from processors.batch.batch_request import BatchRequest
        from processors.batch.batch_summary import HAVE_RESULTS, BatchSummary
        from processors.batch.input_result import failed

        inputs = find_inputs(parsed.inputs or [str(INPUT_DIR)], parsed.output, recursive=settings.run.recursive)
        if complaint := _complaint(parsed.inputs, is_empty=not inputs):
            return print_error(complaint, EXIT_USAGE)
        if bundle is not None:
            bundle.inputs = inputs
        if settings.people.only:
            from processors.batch.named_people import check_only

            check_only(settings.people, parsed.output)
        if settings.analysis.cuts:
            from processors.batch.given_cut_lists import with_cuts

            inputs = with_cuts(inputs, settings.analysis.cuts)
        if parsed.dry_run:
            from processors.commands.dry_run import dry_run

            return dry_run(inputs, parsed.output, settings, journal, given)
        if all(source.problem for source in inputs):
            # There is nothing to write: not even the output folder is created.
            print_lines(BatchSummary(tuple(failed(source, source.problem) for source in inputs), 0.0).lines())
            return EXIT_FAILED
        if not journal.history.crashes:
            logger.info("%s -> %s", count_of(len(inputs), "video"), parsed.output)
        summary = _run_batch(BatchRequest(inputs, parsed.output, settings, given), monitor, journal)
        if any(result.status in HAVE_RESULTS for result in summary.results):
            logger.info("open this to see everything: %s", parsed.output / "index.html")
    return _report(summary)


def _report(summary: BatchSummary) -> int:
    """Print the table of a finished batch and return the exit code; may end the process instead."""
    if not summary.restart:
        print_lines(summary.lines())
    if summary.abandoned:
        # A thread is stuck in foreign code; a normal exit would wait for it.
        sys.stderr.flush()
        os._exit(summary.exit_code)
    return summary.exit_code


def _run_batch(request: BatchRequest, monitor: BatchMonitor, journal: RunJournal) -> BatchSummary:
    with signals_to(monitor.stop):
        # The heavy packages are imported here, within signals_to: a KeyboardInterrupt during an import may get lost.
        from processors.batch.cache_fallback import usable_cache
        from processors.batch_runner import run_batch

        if request.settings.run.cluster:
            from processors.cluster.ray_connection import require_ray

            require_ray()
        with usable_cache(request.settings) as usable:
            return run_batch(dataclasses.replace(request, settings=usable), monitor, journal=journal)


def _complaint(named: Sequence[str], *, is_empty: bool) -> str:
    """Why there is nothing to do, or "". named: the inputs as the user gave them. is_empty: no video was found."""
    if command := _intended_command(named):
        return f"no file {named[0]!r}; did you mean the command {command}?"
    if is_empty:
        return f"no videos in {', '.join(named) or INPUT_DIR} (put videos there, or name files or folders)"
    return ""


def _intended_command(inputs: Sequence[str]) -> str:
    """Return the command of which the first input is probably a misspelling, or ""."""
    if not inputs or os.path.lexists(inputs[0]) or not inputs[0].isalpha():
        return ""
    return next(iter(difflib.get_close_matches(inputs[0].lower(), ("run", *OTHER_COMMANDS), 1, 0.7)), "")


def _debug_bundle(
    parsed: argparse.Namespace, arguments: Sequence[str], settings: Settings, journal: RunJournal
) -> DebugBundle | None:
    if parsed.debug_bundle is None:
        return None
    from processors.commands.debug_bundle import DebugBundle

    return DebugBundle(parsed.debug_bundle, arguments, parsed.output, settings, journal.history)


def _zip(text: str) -> Path:
    # Any other name is probably an input that follows the flag; it must not be overwritten.
    if not text.lower().endswith(".zip"):
        raise argparse.ArgumentTypeError(f"expected FILE.zip, not {text!r}; put inputs before the flag")
    return path(text)
