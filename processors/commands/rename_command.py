"""`main.py rename FOLDER PERSON NAME`: give a person a name, in timeline.json and in all results at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from core.errors import SettingsError
from core.options import options
from processors.batch.exit_codes import EXIT_DONE
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, path, word
from processors.commands.console import open_console
from processors.commands.edit_commands import edit_parser, print_people
from processors.commands.gallery_flags import follow_edited_timeline, gallery_file
from processors.commands.render_command import render_results
from processors.commands.settings_flags import add_settings
from utils.console.program_command import program_command

logger = logging.getLogger(__name__)


def parser() -> Parser:
    """Return the parser of `rename`."""
    result = edit_parser(
        "rename",
        "Give a person a name, also in the names of folders and files; no clip is encoded again.",
        "name as shown by main.py people",
    )
    result.add_argument("new_name", type=word, metavar="NAME", help="new name, also used for the person's folder")
    result.add_argument("--video", type=path, metavar="FILE", help="the video, if it was moved")
    add_settings(result, [o for o in options() if (o.section, o.name) == ("run", "cache_dir")])
    return result


def run(arguments: Sequence[str], journal: RunJournal) -> int:
    """Rename the person; returns the exit code."""
    parsed = parser().parse_args(arguments)
    with open_console(parsed.verbosity) as monitor:
        from processors.commands import people_editor
        from processors.commands.timeline_edits import edit_people
        from processors.results.manifest_outline import read_outline
        from processors.results.output_leases import gallery_lease
        from processors.results.result_lookup import find_folder
        from processors.results.result_tree import output_root
        from processors.results.timeline_file import read_timeline, timeline_sha256

        folder = find_folder(parsed.folder, parsed.output)
        made_from = read_outline(folder).timeline
        then = program_command("render", str(folder))
        before = timeline_sha256(folder)
        all_rendered = made_from is not None and made_from.sha256 == before
        gallery = gallery_file(parsed, output_root(folder))
        with gallery_lease(gallery, output_root(folder)):
            edited = edit_people(
                folder, lambda timeline, _: people_editor.rename(timeline, parsed.person, parsed.new_name)
            )
            follow_edited_timeline(folder, edited, gallery, edited=before or "")
        if all_rendered:
            try:
                render_results(folder, parsed, monitor, journal)
                # It may have given more people the names that the gallery has for them.
                edited = read_timeline(folder)
            except SettingsError as error:
                logger.warning("only timeline.json has the new name: %s; to rename the rest: %s", error, then)
        else:
            logger.info("to rename the clips and apply the earlier corrections: %s", then)
        print_people(folder, edited)
    return EXIT_DONE
