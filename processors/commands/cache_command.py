"""`main.py cache info|clear`: show or clear the analysis cache."""

from __future__ import annotations

from collections.abc import Sequence

from core.options import options
from processors.batch.exit_codes import EXIT_DONE
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, new_parser, word
from processors.commands.console import open_console
from processors.commands.gallery_flags import add_gallery_flags
from processors.commands.settings_flags import add_settings, settings_from
from utils.console.plurals import count_of
from utils.console.stdout_guard import print_lines

CACHE_SETTINGS = {"cache_dir", "cache_mb"}


def parser() -> Parser:
    """Return the parser of `cache`."""
    result = new_parser(
        "cache",
        "Say what is stored about faces, for how long, and how to erase it (info), or remove all stored analyses, "
        "whichever output folder they are for (clear).",
    )
    actions = ("info", "clear")
    result.add_argument("action", nargs="?", type=word, choices=actions, default="info", help="default: info")
    add_gallery_flags(result, optional=False)
    add_settings(result, [option for option in options() if option.name in {*CACHE_SETTINGS, "keep_analyses"}])
    return result


def run(arguments: Sequence[str], _: RunJournal) -> int:
    """Show or clear the cache; returns the exit code."""
    parsed = parser().parse_args(arguments)
    with open_console(parsed.verbosity):
        from processors.commands.cache_report import cache_lines, clear_cache
        from processors.known_people.people_sources import gallery_path
        from processors.video.analysis_key import make_store

        settings = settings_from(parsed)
        store = make_store(settings)
        if parsed.action == "clear":
            removed = clear_cache(store)
            analyses, size = sum(entry.is_analysis for entry in removed), sum(entry.bytes for entry in removed)
            lines = [f"{count_of(analyses, 'analysis', 'analyses')} removed, {size / 1e6:.1f} MB"]
        else:
            gallery = gallery_path(settings.people, parsed.output)
            lines = list(cache_lines(store, gallery, parsed.output, settings.run.keep_analyses_s))
    print_lines(lines)
    return EXIT_DONE
