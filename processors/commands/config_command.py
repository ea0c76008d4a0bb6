"""`main.py config`: print a settings file in which every setting is explained and commented out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from config import PROGRAM
from core.options import options, section_title
from core.profiles import PROFILES
from core.settings_file import PROFILE_KEY, SETTINGS_NAME
from processors.batch.exit_codes import EXIT_DONE
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, new_parser
from utils.console.stdout_guard import print_lines

_HEAD = (
    f"# Settings of {PROGRAM}. Saved as {SETTINGS_NAME} beside the videos or in ~/.config/{PROGRAM}, this file is",
    "# found; under any other name it is given by --config. Remove the # before a setting to change it.",
)


def parser() -> Parser:
    """Return the parser of `config`."""
    text = "Print a settings file (TOML) with all settings, their meaning, range and default."
    return new_parser("config", text, output=False)


def run(arguments: Sequence[str], _: RunJournal) -> int:
    """Print the file; returns the exit code."""
    parser().parse_args(arguments)
    print_lines(template_lines())
    return EXIT_DONE


def template_lines() -> Iterator[str]:
    """The lines of a TOML file with every setting, commented out, at its default."""
    yield from _HEAD
    yield ""
    yield "# A bundle of settings, which the others in this file take precedence over:"
    for name, profile in PROFILES.items():
        yield f"#   {name}: {profile.purpose} ({profile.flags})"
    yield f'# {PROFILE_KEY} = "{next(iter(PROFILES))}"'
    for section, members in groupby(options(), lambda option: option.section):
        yield ""
        yield f"[{section}]  # {section_title(section)}"
        for option in members:
            yield f"# {option.help}"
            # Strings, numbers, lists, true and false are written alike in JSON and TOML.
            yield f"# {option.name} = {json.dumps(option.default)}"
