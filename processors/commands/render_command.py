"""`main.py render FOLDER`: make the clips of a result folder again from its timeline.json."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import VideoProcessingError
from core.options import options
from core.project_folders import INPUT_DIR
from processors.batch.exit_codes import EXIT_DONE
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, add_folder, new_parser, path
from processors.commands.console import open_console, signals_to
from processors.commands.settings_flags import add_profile, add_settings, settings_from
from utils.console.stdout_guard import print_lines

if TYPE_CHECKING:
    from processors.results.manifest import Manifest
    from utils.console.batch_monitor import BatchMonitor

_NO_SECTIONS = {"analysis", "identity", "speech"}
"""they determine timeline.json, which exists already"""
_NO_FLAGS = {"overwrite", "cache", "variant"}
"""settings without effect on this command"""


def parser() -> Parser:
    """Return the parser of `render`, with a flag for each setting that changes the clips or the run."""
    result = new_parser(
        "render", "Make the clips again from timeline.json, with the recorded settings unless flags change them."
    )
    add_folder(result)
    add_profile(result)
    result.add_argument("--video", type=path, metavar="FILE", help="the video, if it was moved")
    result.add_argument(
        "--analyse", action="store_true", help="analyse the video again if its analysis is no longer in the cache"
    )
    add_settings(result, [o for o in options() if o.section not in _NO_SECTIONS and o.name not in _NO_FLAGS])
    return result


def run(arguments: Sequence[str], journal: RunJournal) -> int:
    """Make the clips again; returns the exit code."""
    parsed = parser().parse_args(arguments)
    with open_console(parsed.verbosity) as monitor:
        from processors.commands.folder_renderer import rendered_lines
        from processors.results.result_lookup import find_folder

        folder = find_folder(parsed.folder, parsed.output)
        manifest = render_results(folder, parsed, monitor, journal, analyse=parsed.analyse)
    print_lines(rendered_lines(folder, manifest))
    return EXIT_DONE


def render_results(
    folder: Path, parsed: argparse.Namespace, monitor: BatchMonitor, journal: RunJournal, *, analyse: bool = False
) -> Manifest:
    """Make the results in `folder` again from its timeline; clips that stay the same are kept.

    parsed: with the attributes `folder` and `video` and any settings. analyse: if the stored analysis is gone.

    Raises:
        SettingsError: `--only` names nobody.
        VideoProcessingError: an earlier attempt crashed. Others as in `render_folder`.
    """
    from processors.batch.cache_fallback import usable_cache
    from processors.batch.named_people import check_only
    from processors.commands.folder_renderer import render_folder
    from processors.results.result_lookup import recorded_settings
    from processors.results.result_tree import output_root

    settings = settings_from(parsed, recorded_settings(folder))
    if settings.people.only:
        check_only(settings.people, output_root(folder))
    named = [file for file in [Path(parsed.folder)] if file.is_file()]
    places = [parsed.video] if parsed.video else [*named, INPUT_DIR]
    if crash := journal.history.left_out(folder.name):
        raise VideoProcessingError(crash.reason, path=folder)
    monitor.begin(1)
    monitor.expect(folder.name, 1.0)
    with signals_to(monitor.stop), journal.working_on(folder.name, "finish"), usable_cache(settings) as usable:
        return render_folder(folder, usable, monitor.video(folder.name), places=places, analyse=analyse)
