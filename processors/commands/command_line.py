"""The parsers of every command. Nothing heavy is imported here: help and usage errors have to come at once."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from config import VERSION, Settings, expand_home, load_settings
from core.options import Option, options, section_title
from utils.stdout_guard import print_lines

EXIT_USAGE = 2
OUTPUT_DIR = Path(__file__).resolve().parents[2] / "videos" / "output"

_METAVARS = {float: "NUMBER", int: "N", str: "TEXT", tuple: "LIST"}
_EPILOG = """\
other commands (main.py COMMAND --help):
  people                      who was found, and when
  rename, merge, split, drop  correct who is who
  render                      make the clips anew from what was corrected
  cache, clean                what is kept, and removing what is old
exit codes: 0 all done, 1 some input failed, 2 usage or settings, 3 a tool or a model is missing, 130 interrupted.
Settings may also stand in a TOML file (--config), a section for each group above and "_" for "-": min_face = 0.1
below [analysis]. Flags come before the file, the file before the defaults."""
_LITERAL = "\0"
"""before an argument that stands behind "--"; no argument of a process can hold it"""
_UNITS_S = {"h": 3600, "d": 86400, "w": 7 * 86400}
_BUNDLE_HELP = (
    "write what helps to find a fault (default: debug-bundle.zip here): log, versions, machine, settings, what probing "
    "says, manifests, tracks.csv; no video, picture, face, path or given name of a person, but the videos' file names"
)
_FOLDER_HELP = "folder of results, its name in the output folder, or the video"


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and takes nothing behind "--" for a flag.

    argparse's own handling of "--" differs between Python's versions, and `parse_intermixed_args` loses it in most of
    them. So what stands behind is marked, and the positional arguments' types take the mark off (`_word`, `_place`).
    """

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        return super().parse_args(_marked(args), namespace)

    def parse_intermixed_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        return super().parse_intermixed_args(_marked(args), namespace)

    def error(self, message: str) -> NoReturn:
        message = message.replace(_LITERAL, "")
        # The usual message is preceded by the usage; with a flag for each setting that hides it.
        unknown = re.match(r"unrecognized arguments: (--[\w-]+)", message)
        flags = [flag for action in self._actions for flag in action.option_strings]
        close = difflib.get_close_matches(unknown[1], flags, 1) if unknown else []
        guess = f"; did you mean {close[0]}?" if close else ""
        if (name := message.partition("unrecognized arguments: ")[2]) and os.path.lexists(name):
            guess = f"; a name that begins with a dash goes behind --: {self.prog} -- {name}"
        self.exit(EXIT_USAGE, f"{self.prog}: error: {message}{guess} ({self.prog} --help lists everything)\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        # Help and version are lines of the program.
        if message and file is sys.stdout:
            print_lines(message.splitlines())
        else:
            super()._print_message(message, file)


def run_parser() -> Parser:
    """The parser of `run`: its own flags, then one for each setting of `config.py`, grouped by section.

    A setting's destination is "section.name", and it is absent where the flag is not given.
    """
    parser = Parser(
        prog="main.py",
        usage="python main.py [INPUT ...] [-o DIR] [--config FILE.toml] [options]",
        description="Find the people in videos and write steady, cropped clips with sound, one folder per person.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "inputs", nargs="*", type=_place, metavar="INPUT", help="videos, folders or globs (default: videos/input)"
    )
    parser.add_argument(
        "-o", "--output", type=_path, default=OUTPUT_DIR, metavar="DIR", help="where to write (default: videos/output)"
    )
    parser.add_argument("--config", type=_path, metavar="FILE.toml", help="settings file")
    parser.add_argument("--dry-run", action="store_true", help="only list what would be done")
    parser.add_argument("--log-file", type=_path, metavar="FILE", help="append all details to it, as lines of JSON")
    parser.add_argument(
        "--debug-bundle", nargs="?", type=_zip, const=Path("debug-bundle.zip"), metavar="FILE.zip", help=_BUNDLE_HELP
    )
    _add_verbosity(parser)
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    _add_settings(parser, options())
    return parser


def people_parser() -> Parser:
    """`people`: list them."""
    parser = _parser("people", "List the people of a video: time in the picture, clips, tracklets.")
    parser.add_argument(
        "folder", nargs="?", type=_place, metavar="FOLDER", help=f"{_FOLDER_HELP} (default: all that have results)"
    )
    parser.add_argument("--tracklets", action="store_true", help="list the tracklets instead, with their times")
    return parser


def rename_parser() -> Parser:
    """`rename`: give a person a name."""
    parser = _parser("rename", "Give a person a name, in timeline.json; main.py render makes the clips anew.")
    _add_folder(parser)
    parser.add_argument("person", type=_word, metavar="PERSON", help="as main.py people lists them")
    parser.add_argument("new_name", type=_word, metavar="NAME", help="will be the name of the person's folder")
    return parser


def merge_parser() -> Parser:
    """`merge`: several people are one."""
    parser = _parser("merge", "Make one person of several, in timeline.json; main.py render makes the clips anew.")
    _add_folder(parser)
    parser.add_argument("person", type=_word, metavar="PERSON", help="whose name stays")
    parser.add_argument("others", nargs="+", type=_word, metavar="OTHER", help="who is the same person")
    parser.add_argument("--force", action="store_true", help="even where both are in the picture at the same time")
    return parser


def split_parser() -> Parser:
    """`split`: one person is two."""
    parser = _parser("split", "Make a new person of some tracklets of one; main.py render makes the clips anew.")
    _add_folder(parser)
    parser.add_argument("person", type=_word, metavar="PERSON", help="who has the tracklets now")
    parser.add_argument("--tracklets", type=_numbers, required=True, metavar="3,4-6", help="which ones go")
    parser.add_argument("--name", default="", metavar="NAME", help="name of the new person (default: person_NN)")
    return parser


def drop_parser() -> Parser:
    """`drop`: leave people out."""
    parser = _parser("drop", "Leave people out, in timeline.json; main.py render makes the clips anew.")
    _add_folder(parser)
    parser.add_argument("people", nargs="+", type=_word, metavar="PERSON", help="as main.py people lists them")
    return parser


def render_parser() -> Parser:
    """`render`: make the clips again. Its settings have destinations like those of `run_parser`."""
    parser = _parser(
        "render", "Make the clips again from timeline.json, with the settings they were made with or those given here."
    )
    _add_folder(parser)
    parser.add_argument("--video", type=_path, metavar="FILE", help="the video, where it was moved")
    parser.add_argument("--analyse", action="store_true", help="analyse it again if that is not in the cache any more")
    left_out = ("overwrite", "cache")
    _add_settings(
        parser, [o for o in options() if o.section not in ("analysis", "identity") and o.name not in left_out]
    )
    return parser


def cache_parser() -> Parser:
    """`cache`: what is kept, or remove it."""
    parser = _parser("cache", "Say what analyses are kept (info), or remove them all (clear).", output=False)
    actions = ("info", "clear")
    parser.add_argument("action", nargs="?", type=_word, choices=actions, default="info", help="default: info")
    _add_settings(parser, [o for o in options() if o.name in ("cache_dir", "cache_mb")])
    return parser


def clean_parser() -> Parser:
    """`clean`: remove what is old."""
    parser = _parser("clean", "Remove results and kept analyses that are old; only what this program made.")
    parser.add_argument(
        "--older-than", type=_with(parse_age), required=True, metavar="30d", help="age in hours, days or weeks"
    )
    parser.add_argument("--dry-run", action="store_true", help="only list what would go")
    _add_settings(parser, [o for o in options() if o.name in ("cache_dir", "cache_mb")])
    return parser


def parse_age(text: str) -> float:
    """Seconds in "12h", "30d" or "4w".

    Raises:
        ValueError: it is something else.
    """
    match = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if match is None:
        raise ValueError("expected a number with h, d or w (hours, days, weeks), like 30d")
    return float(int(match[1]) * _UNITS_S[match[2]])


def settings_from(parsed: argparse.Namespace, recorded: dict[str, dict[str, Any]] | None = None) -> Settings:
    """Defaults, then the file of --config or what is `recorded`, then the flags given.

    Raises:
        SettingsError: the file cannot be read or is wrong.
    """
    values = {section: dict(keys) for section, keys in (recorded or {}).items()}
    for destination, value in vars(parsed).items():
        section, dot, name = destination.partition(".")
        if dot:
            values.setdefault(section, {})[name] = value
    return load_settings(getattr(parsed, "config", None), values)


def _parser(command: str, description: str, *, output: bool = True) -> Parser:
    parser = Parser(prog=f"main.py {command}", description=description, allow_abbrev=False)
    if output:
        text = "the output folder (default: videos/output)"
        parser.add_argument("-o", "--output", type=_path, default=OUTPUT_DIR, metavar="DIR", help=text)
    _add_verbosity(parser)
    return parser


def _add_folder(parser: Parser) -> None:
    parser.add_argument("folder", type=_place, metavar="FOLDER", help=_FOLDER_HELP)


def _add_verbosity(parser: Parser) -> None:
    parser.add_argument(
        "-v", "--verbose", dest="verbosity", action="store_const", const=1, default=0, help="show details, tracebacks"
    )
    parser.add_argument(
        "-q", "--quiet", dest="verbosity", action="store_const", const=-1, help="show only warnings and errors"
    )


def _add_settings(parser: Parser, chosen: Iterable[Option]) -> None:
    groups: dict[str, Any] = {}
    for option in chosen:
        if option.section not in groups:
            groups[option.section] = parser.add_argument_group(option.section, section_title(option.section))
        _add_option(groups[option.section], option)


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
        group.add_argument(option.flag, type=_with(option.parse), metavar=_METAVARS[type(option.default)], **common)


def _with(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse_or_say_why(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            # The settings' own checks tell name and value themselves.
            message = re.sub(r"^\w+: ", "", str(error))
            given = "" if repr(text) in message else f", not {text!r}"
            raise argparse.ArgumentTypeError(message + given) from error

    return parse_or_say_why


def _marked(arguments: Sequence[str] | None) -> list[str]:
    """Arguments without their first "--", those behind it marked."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--" not in given:
        return given
    end = given.index("--")
    return [*given[:end], *(_LITERAL + argument for argument in given[end + 1 :])]


def _word(argument: str) -> str:
    return argument.removeprefix(_LITERAL)


def _place(argument: str) -> str:
    """A file, folder or pattern that is to be there: what exists is meant literally, else `~` is the home folder."""
    text = _word(argument)
    if os.path.lexists(text):
        return text
    try:
        return expand_home(text)
    except ValueError:  # it may be the name of a folder of results; if it is nothing, that will be said of it
        return text


def _path(text: str) -> Path:
    try:
        return Path(expand_home(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _zip(text: str) -> Path:
    # Anything else is an input that stands behind the flag, and would be overwritten.
    if not text.lower().endswith(".zip"):
        raise argparse.ArgumentTypeError(f"expected FILE.zip, not {text!r}; inputs go before it")
    return _path(text)


def _numbers(text: str) -> list[int]:
    """What "3,4" and "3-6,9" stand for."""
    numbers: list[int] = []
    for item in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,7})(?:-(\d{1,7}))?\s*", item)
        if match is None:
            raise argparse.ArgumentTypeError(f"expected numbers like 3,4 or 3-6,9, not {text!r}")
        numbers += range(int(match[1]), int(match[2] or match[1]) + 1)
    return numbers
