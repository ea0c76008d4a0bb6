"""`main.py index`: rebuild the summary and the pages of an output folder from the results in it."""

from __future__ import annotations

from collections.abc import Sequence

from processors.batch.exit_codes import EXIT_DONE
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, new_parser
from processors.commands.console import open_console
from processors.commands.gallery_flags import add_gallery_flags, gallery_file
from utils.console.plurals import count_of
from utils.console.stdout_guard import print_lines


def parser() -> Parser:
    """Return the parser of `index`."""
    result = new_parser(
        "index", "Rebuild summary.json, index.html and the pages of people from the results in the output folder."
    )
    add_gallery_flags(result, optional=True)
    return result


def run(arguments: Sequence[str], _: RunJournal) -> int:
    """Rebuild them; returns the exit code."""
    parsed = parser().parse_args(arguments)
    with open_console(parsed.verbosity):
        from core.errors import SettingsError
        from processors.batch.summary_pages import rebuild_summary_pages
        from processors.results.result_tree import may_hold_results

        if not may_hold_results(parsed.output):
            raise SettingsError("is not a folder with results", path=parsed.output, hint="-o names another folder")
        videos = rebuild_summary_pages(parsed.output, gallery_file(parsed, parsed.output))
    print_lines([f"{count_of(videos, 'video')} -> {parsed.output / 'index.html'}"])
    return EXIT_DONE
