"""Entry point: choose the command by the first argument, run it, and turn errors into exit codes.

Nothing heavy is imported before the arguments are known to be valid, so that help and usage errors appear at once.
Exit codes: 0 all done, 1 some input failed or standard output cannot be written, 2 usage or settings, 3 a tool or a
model is missing, 130 interrupted.
Log and progress go to stderr, data to stdout; libraries cannot print to stdout.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def install_hint() -> str:
    """What to do about a package that is missing: often another Python than that of `make` was called."""
    own = Path(__file__).resolve().parent / ".venv"
    if Path(sys.prefix).resolve() != own.resolve() and (own / "bin" / "python").exists():
        return "call .venv/bin/python main.py; this is another Python"
    return "make installs all packages; or: python -m pip install -r requirements.txt -c constraints.txt"


try:
    from core.errors import (
        InterruptedRunError,
        ModelError,
        OutputError,
        PipelineError,
        SettingsError,
        ToolMissingError,
        WorkerCrashError,
    )
    from core.thread_budget import limit_process_threads
    from processors.batch.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_MISSING, EXIT_USAGE
    from processors.batch.run_journal import RunJournal
    from processors.commands import (
        cache_command,
        clean_command,
        compare_command,
        config_command,
        edit_commands,
        gallery_commands,
        index_command,
        people_command,
        photos_command,
        rename_command,
        render_command,
        run_command,
    )
    from processors.commands.command import Command, print_error
    from utils.console.stdout_guard import open_standard_streams, own_stdout, take_stdout, write_error
except ModuleNotFoundError as missing:
    print(f"main.py: the package {missing.name!r} is not installed ({install_hint()})", file=sys.stderr)
    raise SystemExit(3) from None

COMMANDS: dict[str, Command] = {
    "run": Command(run_command.parser, run_command.run, opens_media=True),
    "people": Command(people_command.parser, people_command.run),
    "rename": Command(rename_command.parser, rename_command.run, opens_media=True),
    "merge": Command(edit_commands.merge_parser, edit_commands.merge),
    "split": Command(edit_commands.split_parser, edit_commands.split),
    "assign": Command(edit_commands.assign_parser, edit_commands.assign),
    "drop": Command(edit_commands.drop_parser, edit_commands.drop),
    "undo": Command(edit_commands.undo_parser, edit_commands.undo),
    "name": Command(gallery_commands.name_parser, gallery_commands.name),
    "link": Command(gallery_commands.link_parser, gallery_commands.link),
    "unlink": Command(gallery_commands.unlink_parser, gallery_commands.unlink),
    "forget": Command(gallery_commands.forget_parser, gallery_commands.forget),
    "render": Command(render_command.parser, render_command.run, opens_media=True),
    "compare": Command(compare_command.parser, compare_command.run, opens_media=True),
    "photos": Command(photos_command.parser, photos_command.run, opens_media=True),
    "cache": Command(cache_command.parser, cache_command.run),
    "clean": Command(clean_command.parser, clean_command.run),
    "index": Command(index_command.parser, index_command.run),
    "config": Command(config_command.parser, config_command.run),
}
"""by the first argument; any other first argument is an input of `run` (a file with such a name: ./run)"""


def main(argv: Sequence[str] | None = None, *, supervised: bool = False) -> int:
    """Run the command line `argv` (without the program's name; None: that of the process) and return the exit code.

    supervised: commands that open media run in a worker process, so that a crash costs one input and not the batch.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    open_standard_streams()
    limit_process_threads()
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal's encoding cannot represent must not end the run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    arguments = _without_words(arguments)
    command = COMMANDS[arguments.pop(0) if arguments and arguments[0] in COMMANDS else "run"]
    if not (supervised and command.opens_media):
        with own_stdout():
            return _run(command, arguments, RunJournal())
    from processors.batch.worker_supervisor import supervise

    try:
        return supervise(functools.partial(_run_in_worker, command, arguments))
    except WorkerCrashError as error:
        return print_error(str(error), EXIT_FAILED)


def _without_words(arguments: list[str]) -> list[str]:
    """`help [COMMAND]` and `version` as the flags that they mean."""
    first = next(iter(arguments), "")
    if first == "version":
        return ["--version"]
    if first == "help":
        return [*(word for word in arguments[1:2] if word in COMMANDS), "--help"]
    return arguments


def _run_in_worker(command: Command, arguments: Sequence[str], journal: RunJournal) -> int:
    take_stdout()
    return _run(command, arguments, journal)


def _run(command: Command, arguments: Sequence[str], journal: RunJournal) -> int:
    """Return the exit code of `command`; an exception becomes one line on stderr."""
    try:
        return _after_output(command.run(arguments, journal))
    except SystemExit as end:  # of --help and of usage errors
        if isinstance(end.code, int):
            end.code = _after_output(end.code)
        raise
    except (KeyboardInterrupt, InterruptedRunError):
        return print_error("interrupted", EXIT_INTERRUPTED)
    except (SettingsError, OutputError) as error:
        return print_error(str(error), EXIT_USAGE)
    except (ModelError, ToolMissingError) as error:
        return print_error(str(error), EXIT_MISSING)
    except PipelineError as error:
        return print_error(str(error), EXIT_FAILED)
    except ImportError as error:
        return print_error(f"a package is missing or broken: {error} ({install_hint()})", EXIT_MISSING)
    except Exception as error:
        return print_error(f"unexpected {type(error).__name__}: {error} (run again with -v for details)", EXIT_FAILED)


def _after_output(code: int) -> int:
    """The exit code `code`; if it means success but lines for standard output were lost, that is said and it is 1."""
    if (error := write_error()) is None:
        return code
    message = f"standard output cannot be written ({error.strerror or error}); only the lines for it are lost"
    return print_error(message, code or EXIT_FAILED)


if __name__ == "__main__":
    # numpy reads this when it is imported. Its products here are small or limited by memory, and BLAS threads would
    # take CPU time from decoding and encoding.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main(supervised=True))
