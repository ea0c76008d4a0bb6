"""Command line: parse, build the settings, run, print the summary, choose the exit code.

Nothing heavy is imported before the arguments are known to be right, so that help and usage errors
come at once. Exit codes: 0 all done, 1 some input failed, 2 usage or settings, 3 a tool or a model is
missing, 130 interrupted. Logs and bars go to stderr, data to stdout, where libraries cannot print.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

INSTALL_HINT = "python -m pip install -r requirements.txt -c constraints.txt"

try:
    from config import Settings
    from core.errors import (
        InterruptedRunError,
        ModelError,
        OutputError,
        PipelineError,
        SettingsError,
        ToolMissingError,
        VideoProcessingError,
        WorkerCrashError,
    )
    from core.thread_budget import limit_process_threads
    from processors.batch.run_journal import RunJournal
    from processors.commands import command_line
    from processors.commands.command_line import EXIT_USAGE, run_parser, settings_from
    from processors.commands.console import open_console, signals_to
    from utils.stdout_guard import own_stdout, print_lines, take_stdout
except ModuleNotFoundError as missing:
    print(f"main.py: the package {missing.name!r} is not installed ({INSTALL_HINT})", file=sys.stderr)
    raise SystemExit(3) from None

if TYPE_CHECKING:
    import argparse

    from processors.batch.batch_inputs import BatchInput
    from processors.commands.debug_bundle import DebugBundle
    from processors.people.segments import SegmentRules
    from processors.results.timeline_file import TimelineFile

logger = logging.getLogger(__name__)

Command = Callable[..., int]
"""takes the arguments after its name, and the journal that it has to keep where it is one of `OPENING_MEDIA`"""

PROJECT = Path(__file__).resolve().parent
INPUT_DIR = PROJECT / "videos" / "input"

EXIT_DONE, EXIT_FAILED, EXIT_MISSING, EXIT_INTERRUPTED = 0, 1, 3, 130


def main(argv: Sequence[str] | None = None, *, supervised: bool = False) -> int:
    """Run the command line `argv` (without the program's name; None: the process's own); returns the exit code.

    supervised: commands that open media run in a worker process, whose crash costs one input and not the batch.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    limit_process_threads()
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal's encoding does not know must not end the run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    command = COMMANDS["run"]
    if arguments and arguments[0] in COMMANDS:
        command = COMMANDS[arguments.pop(0)]
    if not (supervised and command in OPENING_MEDIA):
        with own_stdout():
            return _guarded(command, arguments)
    from processors.batch.worker_supervisor import supervise

    try:
        return supervise(functools.partial(_work, command, arguments))
    except WorkerCrashError as error:
        return _complain(str(error), EXIT_FAILED)


def _work(command: Command, arguments: Sequence[str], journal: RunJournal) -> int:
    """What the worker process does."""
    take_stdout()
    return _guarded(command, arguments, journal)


def _guarded(command: Command, arguments: Sequence[str], journal: RunJournal | None = None) -> int:
    """The exit code of `command`; what it raises becomes one line on stderr."""
    try:
        return command(arguments) if journal is None else command(arguments, journal)
    except (KeyboardInterrupt, InterruptedRunError):
        return _complain("interrupted", EXIT_INTERRUPTED)
    except (SettingsError, OutputError) as error:
        return _complain(str(error), EXIT_USAGE)
    except (ModelError, ToolMissingError) as error:
        return _complain(str(error), EXIT_MISSING)
    except PipelineError as error:
        return _complain(str(error), EXIT_FAILED)
    except ImportError as error:
        return _complain(f"a package is missing or broken: {error} ({INSTALL_HINT})", EXIT_MISSING)
    except Exception as error:
        return _complain(f"unexpected {type(error).__name__}: {error} (run again with -v for the details)", EXIT_FAILED)


def run_command(arguments: Sequence[str], journal: RunJournal | None = None) -> int:
    """`main.py [run] [INPUT ...]`: process videos."""
    journal = journal or RunJournal()
    parsed = run_parser().parse_intermixed_args(arguments)
    settings = settings_from(parsed)
    bundle = _debug_bundle(parsed, arguments, settings, journal)
    logs = [] if bundle is None else [bundle.log]
    with bundle or contextlib.nullcontext(), open_console(parsed.verbosity, parsed.log_file, *logs) as monitor:
        from processors.batch.batch_inputs import find_inputs

        inputs = find_inputs(parsed.inputs or [str(INPUT_DIR)], parsed.output)
        if guess := _meant_command(parsed.inputs):
            return _complain(f"there is no file {parsed.inputs[0]!r}; the command is {guess}", EXIT_USAGE)
        if bundle is not None:
            bundle.inputs = inputs
        if not inputs:
            where = ", ".join(parsed.inputs) or str(INPUT_DIR)
            return _complain(f"no videos in {where} (put some there, or name files or folders)", EXIT_USAGE)
        if parsed.dry_run:
            return _dry_run(inputs, parsed.output, settings, journal)
        if not journal.history.crashes:
            logger.info("%d video%s -> %s", len(inputs), "" if len(inputs) == 1 else "s", parsed.output)
        with signals_to(monitor.stop):
            # The one place where the heavy packages come in. A KeyboardInterrupt in there may get lost.
            from processors.batch.cache_place import usable_cache
            from processors.batch_runner import run_batch

            with usable_cache(settings) as usable:
                summary = run_batch(inputs, parsed.output, usable, monitor, journal=journal)
        if any(result.clips for result in summary.results):
            logger.info("all of it to look at: %s", parsed.output / "index.html")
    if not summary.restart:
        print_lines(summary.lines())
    if summary.abandoned:
        # A worker is stuck in foreign code; an orderly exit would wait for it.
        sys.stderr.flush()
        os._exit(summary.exit_code)
    return summary.exit_code


def people_command(arguments: Sequence[str]) -> int:
    """`main.py people [FOLDER]`: the table of people, of one video or of all."""
    parsed = command_line.people_parser().parse_args(arguments)
    with open_console(parsed.verbosity):
        from processors.commands.people_editor import people_lines, tracklet_lines
        from processors.results.result_lookup import find_folder, result_folders
        from processors.results.timeline_file import read_timeline

        table = tracklet_lines if parsed.tracklets else people_lines
        if parsed.folder is not None:
            print_lines(table(read_timeline(find_folder(parsed.folder, parsed.output))))
            return EXIT_DONE
        folders = result_folders(parsed.output)
        if not folders:
            return _complain(f"{parsed.output}: no results yet (-o names another folder)", EXIT_USAGE)
        code = EXIT_DONE
        for folder in folders:
            try:
                lines = list(table(read_timeline(folder)))
            except SettingsError as error:
                code = _complain(f"{folder.name}: {error}", EXIT_USAGE)
            else:
                print_lines([f"{folder.name}:", *(f"  {line}" for line in lines)])
    return code


def rename_command(arguments: Sequence[str]) -> int:
    """`main.py rename FOLDER PERSON NAME`."""
    parsed = command_line.rename_parser().parse_args(arguments)
    return _edit(parsed, lambda editor, timeline, _: editor.rename(timeline, parsed.person, parsed.new_name))


def merge_command(arguments: Sequence[str]) -> int:
    """`main.py merge FOLDER PERSON OTHER ...`."""
    parsed = command_line.merge_parser().parse_args(arguments)
    return _edit(
        parsed,
        lambda editor, timeline, rules: editor.merge(timeline, rules, parsed.person, parsed.others, force=parsed.force),
    )


def split_command(arguments: Sequence[str]) -> int:
    """`main.py split FOLDER PERSON --tracklets 3,4`."""
    parsed = command_line.split_parser().parse_args(arguments)
    return _edit(
        parsed,
        lambda editor, timeline, rules: editor.split(timeline, rules, parsed.person, parsed.tracklets, parsed.name),
    )


def drop_command(arguments: Sequence[str]) -> int:
    """`main.py drop FOLDER PERSON ...`."""
    parsed = command_line.drop_parser().parse_args(arguments)
    return _edit(parsed, lambda editor, timeline, _: editor.drop(timeline, parsed.people))


def render_command(arguments: Sequence[str], journal: RunJournal | None = None) -> int:
    """`main.py render FOLDER`: make the clips again from the timeline."""
    journal = journal or RunJournal()
    parsed = command_line.render_parser().parse_args(arguments)
    with open_console(parsed.verbosity) as monitor:
        from processors.batch.cache_place import usable_cache
        from processors.commands.folder_renderer import render_folder, rendered_lines
        from processors.results.result_lookup import find_folder, recorded_settings

        folder = find_folder(parsed.folder, parsed.output)
        settings = command_line.settings_from(parsed, recorded_settings(folder))
        named = [path for path in [Path(parsed.folder)] if path.is_file()]
        places = [parsed.video] if parsed.video else [*named, INPUT_DIR]
        if crash := journal.history.left_out(folder.name):
            raise VideoProcessingError(crash.reason, path=folder)
        monitor.begin(1)
        monitor.expect(folder.name, 1.0)
        with (
            signals_to(monitor.stop),
            journal.working_on(folder.name, "finish"),
            usable_cache(settings) as usable,
        ):
            manifest = render_folder(folder, usable, monitor.video(folder.name), places=places, analyse=parsed.analyse)
    print_lines(rendered_lines(folder, manifest))
    return EXIT_DONE


def cache_command(arguments: Sequence[str]) -> int:
    """`main.py cache info|clear`."""
    parsed = command_line.cache_parser().parse_args(arguments)
    with open_console(parsed.verbosity):
        from processors.commands.housekeeping import cache_lines, clear_cache
        from processors.results.analysis_key import make_store

        store = make_store(command_line.settings_from(parsed))
        if parsed.action == "clear":
            gone = clear_cache(store)
            lines = [f"{len(gone)} analyses removed, {sum(entry.bytes for entry in gone) / 1e6:.1f} MB"]
        else:
            lines = list(cache_lines(store))
    print_lines(lines)
    return EXIT_DONE


def clean_command(arguments: Sequence[str]) -> int:
    """`main.py clean --older-than 30d`."""
    parsed = command_line.clean_parser().parse_args(arguments)
    with open_console(parsed.verbosity):
        from processors.commands.housekeeping import clean, removal_lines
        from processors.results.analysis_key import make_store

        try:
            store = make_store(command_line.settings_from(parsed))
        except SettingsError as error:
            logger.warning("only results are looked at: %s", error)
            store = None
        removed = clean(parsed.output, store, parsed.older_than, dry_run=parsed.dry_run)
    print_lines(removal_lines(removed, dry_run=parsed.dry_run))
    return EXIT_DONE


COMMANDS: dict[str, Command] = {
    "run": run_command,
    "people": people_command,
    "rename": rename_command,
    "merge": merge_command,
    "split": split_command,
    "drop": drop_command,
    "render": render_command,
    "cache": cache_command,
    "clean": clean_command,
}
"""what the first word may name; without one of these it is `run` (a file of that name: ./run)"""

OPENING_MEDIA: tuple[Command, ...] = (run_command, render_command)
"""commands that hand foreign files to codecs, which may crash the process"""


def _edit(parsed: argparse.Namespace, change: Callable[[Any, TimelineFile, SegmentRules], TimelineFile]) -> int:
    with open_console(parsed.verbosity):
        from processors.commands import people_editor
        from processors.results.result_lookup import find_folder

        folder = find_folder(parsed.folder, parsed.output)
        edited = people_editor.edit_people(folder, lambda timeline, rules: change(people_editor, timeline, rules))
        logger.info("now make the clips anew: main.py render %s", folder)
    print_lines(people_editor.people_lines(edited))
    return EXIT_DONE


def _meant_command(inputs: Sequence[str]) -> str:
    """The command that the first word may have been meant to be, or ""."""
    if not inputs or os.path.lexists(inputs[0]) or not inputs[0].isalpha():
        return ""
    return next(iter(difflib.get_close_matches(inputs[0].lower(), COMMANDS, 1, 0.7)), "")


def _dry_run(inputs: Sequence[BatchInput], output_dir: Path, settings: Settings, journal: RunJournal) -> int:
    from processors.batch.batch_inspection import Inspection, inspect_input
    from processors.batch.batch_summary import InputResult
    from processors.batch.folder_claims import FolderClaims

    claims = FolderClaims(output_dir, inputs)
    history = journal.history
    code = EXIT_FAILED if any(result.status == "failed" for result in history.results.values()) else EXIT_DONE
    for source in inputs:
        if source.name in history.results:
            continue  # said before the process crashed that this one goes on for
        if crash := history.left_out(source.name):
            inspection = Inspection(reason=crash.reason)
        else:
            with journal.working_on(source.name, "probe"):
                inspection = inspect_input(source, claims, settings)
        if inspection.job is not None:
            info = inspection.job.info
            facts = f"{info.codec} {info.width}x{info.height}, {info.duration_s:.1f} s"
            state = f"to do ({facts}{'' if info.default_audio else ', no sound'}) -> {inspection.folder}"
        elif inspection.manifest is not None:
            state = f"already done in {inspection.folder}"
        elif inspection.same_as is not None:
            state = f"the same video as {inspection.same_as.label}, once in {inspection.folder}"
        else:
            state, code = f"cannot be done: {inspection.reason}", EXIT_FAILED
        print_lines([f"{source.label}: {state}"])
        journal.record(InputResult(source.label, source.name, "failed" if inspection.reason else "cached"))
    return code


def _debug_bundle(
    parsed: argparse.Namespace, arguments: Sequence[str], settings: Settings, journal: RunJournal
) -> DebugBundle | None:
    if parsed.debug_bundle is None:
        return None
    from processors.commands.debug_bundle import DebugBundle

    return DebugBundle(parsed.debug_bundle, arguments, parsed.output, settings, journal.history)


def _complain(message: str, code: int) -> int:
    logger.debug("details", exc_info=sys.exc_info()[0] is not None)
    print("main.py: " + " ".join(message.split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    # numpy reads this when it is imported, which happens later. Its products here are small or bound by memory, and
    # its threads would wait for CPUs that decode and encode.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main(supervised=True))
