"""`main.py people [FOLDER | PERSON]`: list the people of one video, everybody, or the videos that somebody is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import SettingsError
from processors.batch.exit_codes import EXIT_DONE, EXIT_USAGE
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import FOLDER_HELP, Parser, existing_place, new_parser
from processors.commands.command import print_error
from processors.commands.console import open_console
from processors.commands.gallery_flags import add_gallery_flags, gallery_file
from utils.console.stdout_guard import print_lines


def parser() -> Parser:
    """Return the parser of `people`."""
    result = new_parser("people", "List the people of a video, everybody in the gallery, or the videos that one is in.")
    result.add_argument(
        "folder",
        nargs="?",
        type=existing_place,
        metavar="FOLDER",
        help=f"{FOLDER_HELP}; or the name or id of somebody in the gallery, whose videos are listed "
        "(default: everybody in the gallery; without one, every result folder)",
    )
    result.add_argument("--tracklets", action="store_true", help="list the tracklets with their times instead")
    add_gallery_flags(result, optional=True)
    return result


def run(arguments: Sequence[str], _: RunJournal) -> int:
    """Print the table of people; returns the exit code."""
    parsed = parser().parse_args(arguments)
    with open_console(parsed.verbosity):
        from processors.commands.people_table import people_lines, tracklet_lines
        from processors.results.manifest import read_manifest
        from processors.results.result_lookup import find_folder
        from processors.results.result_tree import folder_name, result_folders
        from processors.results.timeline_file import read_timeline

        def table(folder: Path) -> Iterator[str]:
            timeline = read_timeline(folder)
            return tracklet_lines(timeline) if parsed.tracklets else people_lines(timeline, read_manifest(folder))

        if parsed.folder is not None:
            try:
                lines = list(table(find_folder(parsed.folder, parsed.output)))
            except SettingsError as error:
                lines = _videos_lines(parsed.folder, gallery_file(parsed, parsed.output), parsed.output, error)
            print_lines(lines)
            return EXIT_DONE
        gallery = gallery_file(parsed, parsed.output)
        if gallery is not None and not parsed.tracklets:
            print_lines(_gallery_lines(gallery, parsed.output))
            return EXIT_DONE
        folders = result_folders(parsed.output)
        if not folders:
            return print_error(f"{parsed.output}: no results yet (-o selects another folder)", EXIT_USAGE)
        code = EXIT_DONE
        for folder in folders:
            try:
                lines = list(table(folder))
            except SettingsError as error:
                code = print_error(f"{folder_name(folder, parsed.output)}: {error}", EXIT_USAGE)
            else:
                print_lines([f"{folder_name(folder, parsed.output)}:", *(f"  {line}" for line in lines)])
    return code


def _videos_lines(who: str, path: Path | None, output_dir: Path, no_folder: SettingsError) -> list[str]:
    """Where the person `who` is seen. no_folder: what is raised if there is nobody, unless `who` is an id."""
    if path is None:
        raise no_folder
    from processors.known_people.gallery import Gallery
    from processors.known_people.people_list import videos_lines
    from processors.known_people.person_names import person_number
    from processors.results.output_leases import gallery_lease

    with gallery_lease(path, output_dir), Gallery(path, for_reading=True) as gallery:
        try:
            return list(videos_lines(gallery.find(who)))
        except SettingsError:
            if person_number(who) is not None:
                raise
            raise no_folder from None


def _gallery_lines(path: Path, output_dir: Path) -> list[str]:
    from processors.known_people.gallery import Gallery
    from processors.known_people.people_list import people_lines
    from processors.results.output_leases import gallery_lease

    with gallery_lease(path, output_dir), Gallery(path, for_reading=True) as gallery:
        return list(people_lines(gallery.people()))
