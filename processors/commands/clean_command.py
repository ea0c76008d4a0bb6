"""`main.py clean --older-than AGE`: remove old results of an output folder, and their analyses."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from core.errors import SettingsError
from core.options import options
from processors.batch.exit_codes import EXIT_DONE
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, argument_type, new_parser
from processors.commands.cache_command import CACHE_SETTINGS
from processors.commands.console import open_console
from processors.commands.gallery_flags import add_gallery_flags, gallery_file
from processors.commands.settings_flags import add_settings, settings_from
from utils.console.stdout_guard import print_lines
from utils.time_formats import parse_age

logger = logging.getLogger(__name__)


def parser() -> Parser:
    """Return the parser of `clean`."""
    result = new_parser(
        "clean", "Remove old results of an output folder and their stored analyses; nothing else is touched."
    )
    result.add_argument(
        "--older-than",
        type=argument_type(parse_age),
        required=True,
        metavar="30d",
        help="minimum age: a number of hours (h), days (d) or weeks (w)",
    )
    result.add_argument("--dry-run", action="store_true", help="only list what would be removed")
    add_settings(result, [option for option in options() if option.name in CACHE_SETTINGS])
    add_gallery_flags(result, optional=False)
    return result


def run(arguments: Sequence[str], _: RunJournal) -> int:
    """Remove what is old; returns the exit code."""
    parsed = parser().parse_args(arguments)
    with open_console(parsed.verbosity):
        from processors.commands.housekeeping import clean, removal_lines
        from processors.results.result_tree import may_hold_results
        from processors.video.analysis_key import make_store

        if not may_hold_results(parsed.output):
            raise SettingsError("is not a folder with results", path=parsed.output, hint="-o names the output folder")
        try:
            store = make_store(settings_from(parsed))
        except SettingsError as error:
            logger.warning("stored analyses are not checked: %s", error)
            store = None
        gallery = gallery_file(parsed, parsed.output)
        removed = clean(parsed.output, store, parsed.older_than, dry_run=parsed.dry_run, gallery=gallery)
    print_lines(removal_lines(removed, dry_run=parsed.dry_run))
    return EXIT_DONE
