"""`main.py cache info|clear`: show or clear the analysis cache."""

from __future__ import annotations

from collections.abc import Sequence

from core.options import options
from processors.batch.exit_codes import EXIT_DONE
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, new_parser, word
from processors.commands.console import open_console
from processors.commands.settings_flags import add_settings, settings_from
from utils.plurals import count_of
from utils.stdout_guard import print_lines

CACHE_SETTINGS = {"cache_dir", "cache_mb"}


def parser() -> Parser:
    """Return the parser of `cache`."""
    result = new_parser("cache", "Show the stored analyses (info), or remove all of them (clear).", output=False)
    actions = ("info", "clear")
    result.add_argument("action", nargs="?", type=word, choices=actions, default="info", help="default: info")
    add_settings(result, [option for option in options() if option.name in CACHE_SETTINGS])
    return result


def run(arguments: Sequence[str], _: RunJournal) -> int:
    """Show or clear the cache; returns the exit code."""
    parsed = parser().parse_args(arguments)
    with open_console(parsed.verbosity):
        from processors.commands.housekeeping import cache_lines, clear_cache
        from processors.results.analysis_key import make_store

        store = make_store(settings_from(parsed))
        if parsed.action == "clear":
            removed = clear_cache(store)
            analyses, size = sum(entry.is_analysis for entry in removed), sum(entry.bytes for entry in removed)
            lines = [f"{count_of(analyses, 'analysis', 'analyses')} removed, {size / 1e6:.1f} MB"]
        else:
            lines = list(cache_lines(store))
    print_lines(lines)
    return EXIT_DONE
