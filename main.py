"""Command line: parse, build the settings, run, print the summary, choose the exit code.

Nothing heavy is imported before the arguments are known to be right, so that help and usage errors
come at once. Exit codes: 0 all done, 1 some input failed, 2 usage or settings, 3 a tool or a model is
missing, 130 interrupted. Logs and bars go to stderr, data to stdout.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

INSTALL_HINT = "python -m pip install -r requirements.txt"

try:
    from config import VERSION, Option, Settings, load_settings, options, section_title
    from core.errors import ModelError, OutputError, PipelineError, SettingsError, ToolMissingError
except ModuleNotFoundError as missing:
    print(f"main.py: the package {missing.name!r} is not installed ({INSTALL_HINT})", file=sys.stderr)
    raise SystemExit(3) from None

if TYPE_CHECKING:
    from processors.batch_inputs import BatchInput
    from utils.progress_bars import BatchMonitor

logger = logging.getLogger(__name__)

PROJECT = Path(__file__).resolve().parent
INPUT_DIR = PROJECT / "videos" / "input"
OUTPUT_DIR = PROJECT / "videos" / "output"

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_MISSING, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

_METAVARS = {float: "NUMBER", int: "N", str: "TEXT", tuple: "LIST"}
_EPILOG = """\
exit codes: 0 all done, 1 some input failed, 2 usage or settings, 3 a tool or a model is missing, 130 interrupted.
Settings may also stand in a TOML file (--config), a section for each group above and "_" for "-": min_face = 0.1
below [analysis]. Flags come before the file, the file before the defaults."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (without the program's name; None: the process's own); returns the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal's encoding does not know must not end the run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    command = COMMANDS["run"]
    if arguments and arguments[0] in COMMANDS:
        command = COMMANDS[arguments.pop(0)]
    try:
        return command(arguments)
    except KeyboardInterrupt:
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


def run_command(arguments: Sequence[str]) -> int:
    """`main.py [run] [INPUT ...]`: process videos."""
    parsed = run_parser().parse_intermixed_args(arguments)
    settings = settings_from(parsed)
    with _console(parsed.verbosity) as monitor:
        from processors.batch_inputs import find_inputs

        inputs = find_inputs(parsed.inputs or [str(INPUT_DIR)], parsed.output)
        if not inputs:
            where = ", ".join(parsed.inputs) or str(INPUT_DIR)
            return _complain(f"no videos in {where} (put some there, or name files or folders)", EXIT_USAGE)
        if parsed.dry_run:
            return _dry_run(inputs, parsed.output, settings)
        # The one place where the heavy packages come in.
        from processors.batch_runner import run_batch

        logger.info("%d video%s -> %s", len(inputs), "" if len(inputs) == 1 else "s", parsed.output)
        with _signals_to(monitor.stop):
            summary = run_batch(inputs, parsed.output, settings, monitor)
    _print_lines(summary.lines())
    if summary.abandoned:
        # A worker is stuck in foreign code; an orderly exit would wait for it.
        sys.stderr.flush()
        os._exit(summary.exit_code)
    return summary.exit_code


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"run": run_command}
"""what the first word may name; without one of these it is `run` (a file of that name: ./run)"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # The usual message is preceded by the usage; with a flag for each setting that hides it.
        self.exit(EXIT_USAGE, f"{self.prog}: error: {message} ({self.prog} --help lists everything)\n")


def run_parser() -> argparse.ArgumentParser:
    """The parser of `run`: its own flags, then one for each setting of `config.py`, grouped by section.

    A setting's destination is "section.name", and it is absent where the flag is not given.
    """
    parser = _Parser(
        prog="main.py",
        usage="python main.py [INPUT ...] [-o DIR] [--config FILE.toml] [options]",
        description="Find the people in videos and write steady, cropped clips with sound, one folder per person.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="videos, folders or globs (default: videos/input)")
    parser.add_argument(
        "-o", "--output", type=Path, default=OUTPUT_DIR, metavar="DIR", help="where to write (default: videos/output)"
    )
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="settings file")
    parser.add_argument("--dry-run", action="store_true", help="only list what would be done")
    parser.add_argument(
        "-v", "--verbose", dest="verbosity", action="store_const", const=1, default=0, help="show details, tracebacks"
    )
    parser.add_argument(
        "-q", "--quiet", dest="verbosity", action="store_const", const=-1, help="show only warnings and errors"
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    groups: dict[str, Any] = {}
    for option in options():
        if option.section not in groups:
            groups[option.section] = parser.add_argument_group(option.section, section_title(option.section))
        _add_option(groups[option.section], option)
    return parser


def settings_from(parsed: argparse.Namespace) -> Settings:
    """Defaults, then the file of --config, then the flags given.

    Raises:
        SettingsError: the file cannot be read or is wrong.
    """
    overrides: dict[str, dict[str, Any]] = {}
    for destination, value in vars(parsed).items():
        section, dot, name = destination.partition(".")
        if dot:
            overrides.setdefault(section, {})[name] = value
    return load_settings(parsed.config, overrides)


def _add_option(group: Any, option: Option) -> None:
    common = {
        "dest": f"{option.section}.{option.name}",
        "default": argparse.SUPPRESS,
        "help": option.help.replace("%", "%%"),
    }
    if option.is_switch:
        group.add_argument(option.flag, action=argparse.BooleanOptionalAction, **common)
    elif option.choices:
        group.add_argument(option.flag, choices=option.choices, **common)
    else:
        group.add_argument(option.flag, type=_parse_with(option), metavar=_METAVARS[type(option.default)], **common)


def _parse_with(option: Option) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            return option.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{error}, not {text!r}") from error

    return parse


def _dry_run(inputs: Iterable[BatchInput], output_dir: Path, settings: Settings) -> int:
    from processors.batch_inspection import inspect_input

    code = EXIT_DONE
    for source in inputs:
        inspection = inspect_input(source, output_dir, settings)
        if inspection.job is not None:
            info = inspection.job.info
            facts = f"{info.codec} {info.width}x{info.height}, {info.duration_s:.1f} s"
            state = f"to do ({facts}{'' if info.audio else ', no sound'}) -> {output_dir / source.name}"
        elif inspection.manifest is not None:
            state = f"already done in {output_dir / source.name}"
        else:
            state, code = f"cannot be done: {inspection.reason}", EXIT_FAILED
        _print_lines([f"{source.label}: {state}"])
    return code


@contextlib.contextmanager
def _console(verbosity: int) -> Iterator[BatchMonitor]:
    """Logging and progress on stderr: bars on a terminal, lines elsewhere, neither with --quiet."""
    from utils.logs import configure_logging
    from utils.progress_bars import BarMonitor, BatchMonitor, LineMonitor

    monitor: BatchMonitor = LineMonitor(sys.stderr)
    write = monitor.write
    if verbosity < 0:
        monitor = BatchMonitor()
    elif sys.stderr.isatty():
        monitor = BarMonitor(sys.stderr)
        write = monitor.write
    configure_logging(verbosity, write)
    try:
        yield monitor
    finally:
        monitor.close()


@contextlib.contextmanager
def _signals_to(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`; a second one raises KeyboardInterrupt.

    An exception out of nowhere could strike in the middle of starting a thread or writing a file.
    """

    def ask_to_stop(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_lines(lines: Iterable[str]) -> None:
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; the interpreter must not stumble over it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str, code: int) -> int:
    logger.debug("details", exc_info=sys.exc_info()[0] is not None)
    print("main.py: " + " ".join(message.split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
