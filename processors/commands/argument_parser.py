"""The parser that all commands share, and its argument types.

Imports nothing heavy: help and usage errors must appear at once.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from core.project_folders import OUTPUT_DIR
from processors.batch.exit_codes import EXIT_USAGE
from utils.console.stdout_guard import print_lines
from utils.home_folder import expand_home

FOLDER_HELP = "result folder, its name within the output folder, or the video itself"

_AFTER_DASHES = "\0"
"""prefix of an argument that follows "--"; an argument of a process cannot contain this character"""
_ALIKE = 0.7
"""similarity from which an unknown flag is taken for a misspelt one; --fps and --preset have 0.62"""


class Parser(argparse.ArgumentParser):
    """Reports errors in one line, and never takes an argument after "--" for a flag.

    How argparse treats "--" depends on the version of Python, and `parse_intermixed_args` loses it in most versions.
    Arguments after "--" are therefore marked here; the types of positional arguments (`word`, `existing_place`) remove
    the mark.
    """

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        return super().parse_args(_marked(args), namespace)

    def parse_intermixed_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        return super().parse_intermixed_args(_marked(args), namespace)

    def error(self, message: str) -> NoReturn:
        message = message.replace(_AFTER_DASHES, "")
        # argparse prints the usage before the message; with a flag per setting, that would bury the message.
        unknown = re.match(r"unrecognized arguments: (--[\w-]+)", message)
        flags = [flag for action in self._actions for flag in action.option_strings]
        close = difflib.get_close_matches(unknown[1], flags, 1, _ALIKE) if unknown else []
        guess = f"; did you mean {close[0]}?" if close else ""
        if (name := message.partition("unrecognized arguments: ")[2]) and os.path.lexists(name):
            guess = f"; put a file name that starts with a dash after --: {self.prog} -- {name}"
        self.exit(EXIT_USAGE, f"{self.prog}: error: {message}{guess} (see {self.prog} --help)\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        # sys.stdout leads nowhere while stdout_guard is active.
        if message and file is sys.stdout:
            print_lines(message.splitlines())
        else:
            super()._print_message(message, file)


def new_parser(command: str, description: str, *, output: bool = True) -> Parser:
    """Return a parser with -v, -q and, if `output`, -o."""
    parser = Parser(prog=f"main.py {command}", description=description, allow_abbrev=False)
    if output:
        add_output(parser)
    add_verbosity(parser)
    return parser


def add_output(parser: Parser) -> None:
    """Add -o, which may be given once: of two folders, all results would be in the last one, without a word."""
    text = "output folder (default: videos/output)"
    parser.add_argument("-o", "--output", type=path, action=_Once, default=OUTPUT_DIR, metavar="DIR", help=text)


def add_folder(parser: Parser) -> None:
    """Add the positional argument FOLDER."""
    parser.add_argument("folder", type=existing_place, metavar="FOLDER", help=FOLDER_HELP)


def add_verbosity(parser: Parser) -> None:
    """Add -v and -q; the destination `verbosity` is 1, -1, or 0 without either."""
    parser.add_argument(
        "-v",
        "--verbose",
        dest="verbosity",
        action="store_const",
        const=1,
        default=0,
        help="show details and tracebacks",
    )
    parser.add_argument(
        "-q", "--quiet", dest="verbosity", action="store_const", const=-1, help="show only warnings and errors"
    )


class _Once(argparse.Action):
    """Store the value of a flag that must not have two."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: Any = None
    ) -> None:
        before = getattr(namespace, self.dest)
        if before is not self.default and before != values:
            raise argparse.ArgumentError(self, f"given twice, as {before} and as {values}; name one folder")
        setattr(namespace, self.dest, values)


def argument_type(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Wrap `parse` for argparse: the message of its ValueError becomes the usage error."""

    def parse_or_explain(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            # Checks in config.py start their message with the setting's name, which argparse adds as well.
            message = re.sub(r"^\w+: ", "", str(error))
            if message.startswith("expected "):
                message = f"{message}, not {text!r}"
            elif repr(text) not in message:
                message = f"{text!r}: {message}"
            raise argparse.ArgumentTypeError(message) from error

    return parse_or_explain


def word(argument: str) -> str:
    """Argument type: any text."""
    return argument.removeprefix(_AFTER_DASHES)


def existing_place(argument: str) -> str:
    """Argument type: an existing file or folder is taken literally; otherwise `~` is expanded."""
    text = _not_empty(word(argument))
    if os.path.lexists(text):
        return text
    try:
        return expand_home(text)
    except ValueError:  # it may be the name of a result folder; if not, the lookup reports it
        return text


def path(text: str) -> Path:
    """Argument type: a path, with `~` expanded."""
    try:
        return Path(expand_home(_not_empty(text)))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _not_empty(text: str) -> str:
    """`text`, unless it is empty: that would mean the current folder, where a shell variable has no value."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, not ''")
    return text


def _marked(arguments: Sequence[str] | None) -> list[str]:
    """Drop the first "--" and mark what follows it."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--" not in given:
        return given
    end = given.index("--")
    return [*given[:end], *(_AFTER_DASHES + argument for argument in given[end + 1 :])]
