"""`main.py merge|split|assign|drop|undo`: correct who is who in timeline.json."""

from __future__ import annotations

import argparse
import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processors.batch.exit_codes import EXIT_DONE
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, add_folder, new_parser, word
from processors.commands.console import open_console
from processors.commands.gallery_flags import add_gallery_flags, follow_edited_timeline, gallery_file
from utils.console.program_command import program_command
from utils.console.stdout_guard import print_lines
from utils.time_formats import parse_clock

if TYPE_CHECKING:
    from processors.people.segments import SegmentRules
    from processors.results.timeline_file import TimelineFile

logger = logging.getLogger(__name__)

_THEN_RENDER = "in timeline.json; afterwards, main.py render makes the clips again."


def merge_parser() -> Parser:
    """Return the parser of `merge`."""
    parser = edit_parser("merge", f"Merge several people into one {_THEN_RENDER}", "person whose name is kept")
    parser.add_argument("others", nargs="+", type=word, metavar="OTHER", help="people to merge into PERSON")
    parser.add_argument("--force", action="store_true", help="merge even people who are on screen at the same time")
    return parser


def merge(arguments: Sequence[str], _: RunJournal) -> int:
    """`main.py merge FOLDER PERSON OTHER ...`."""
    parsed = merge_parser().parse_args(arguments)
    return _edit(
        parsed,
        lambda editor, timeline, rules: editor.merge(timeline, rules, parsed.person, parsed.others, force=parsed.force),
    )


def split_parser() -> Parser:
    """Return the parser of `split`."""
    parser = edit_parser("split", f"Divide a person into two {_THEN_RENDER}", "person who has the tracklets now")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--tracklets", type=tracklet_numbers, metavar="3,4-6", help="tracklets of the new person")
    where.add_argument(
        "--at",
        type=time_in_video,
        metavar="TIME",
        help="from this time on it is the new person, as 11.64, 0:11.64 or 1:02:11.640; divides tracklets, too",
    )
    parser.add_argument("--name", default="", metavar="NAME", help="name of the new person (default: person_NN)")
    return parser


def split(arguments: Sequence[str], _: RunJournal) -> int:
    """`main.py split FOLDER PERSON --tracklets 3,4` or `--at 0:11.64`."""
    parsed = split_parser().parse_args(arguments)

    def change(editor: Any, timeline: TimelineFile, rules: SegmentRules) -> TimelineFile:
        if parsed.at is not None:
            changed: TimelineFile = editor.split_at(timeline, rules, parsed.person, parsed.at, parsed.name)
        else:
            changed = editor.split(timeline, rules, parsed.person, parsed.tracklets, parsed.name)
        return changed

    return _edit(parsed, change)


def assign_parser() -> Parser:
    """Return the parser of `assign`."""
    parser = edit_parser(
        "assign", f"Give tracklets to a person {_THEN_RENDER}", "person who gets them; a new name makes a new person"
    )
    parser.add_argument("--tracklets", type=tracklet_numbers, required=True, metavar="4,7", help="tracklets to give")
    parser.add_argument("--force", action="store_true", help="even if the person is visible elsewhere at the same time")
    return parser


def assign(arguments: Sequence[str], _: RunJournal) -> int:
    """`main.py assign FOLDER PERSON --tracklets 4,7`."""
    parsed = assign_parser().parse_args(arguments)
    return _edit(
        parsed,
        lambda editor, timeline, rules: editor.assign(
            timeline, rules, parsed.person, parsed.tracklets, force=parsed.force
        ),
    )


def drop_parser() -> Parser:
    """Return the parser of `drop`."""
    parser = new_parser("drop", f"Remove people {_THEN_RENDER}")
    add_folder(parser)
    add_gallery_flags(parser, optional=True)
    parser.add_argument("people", nargs="+", type=word, metavar="PERSON", help="name as shown by main.py people")
    return parser


def drop(arguments: Sequence[str], _: RunJournal) -> int:
    """`main.py drop FOLDER PERSON ...`."""
    parsed = drop_parser().parse_args(arguments)
    return _edit(parsed, lambda editor, timeline, _: editor.drop(timeline, parsed.people))


def undo_parser() -> Parser:
    """Return the parser of `undo`."""
    parser = new_parser("undo", f"Undo the last correction, or one more with every call, {_THEN_RENDER}")
    add_folder(parser)
    add_gallery_flags(parser, optional=True)
    return parser


def undo(arguments: Sequence[str], _: RunJournal) -> int:
    """`main.py undo FOLDER`."""
    parsed = undo_parser().parse_args(arguments)
    with open_console(parsed.verbosity):
        from processors.commands.timeline_edits import undo_edit

        return _finish(parsed, undo_edit, undoes=True)


def tracklet_numbers(text: str) -> list[int]:
    """Argument type: "3,4" or "3-6,9"."""
    numbers: list[int] = []
    for item in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,7})(?:-(\d{1,7}))?\s*", item)
        first, last = (0, -1) if match is None else (int(match[1]), int(match[2] or match[1]))
        if last < first:
            raise argparse.ArgumentTypeError(f"expected numbers like 3,4 or 3-6,9, not {text!r}")
        numbers += range(first, last + 1)
    return numbers


def time_in_video(text: str) -> float:
    """Argument type: seconds from the first frame, "11.64", "0:11.64" or "1:02:11.640"."""
    try:
        return parse_clock(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a time like 11.64, 0:11.64 or 1:02:11.640, not {text!r}") from error


def edit_parser(command: str, description: str, person_help: str) -> Parser:
    """Return a parser with FOLDER, PERSON and the flags of the gallery."""
    parser = new_parser(command, description)
    add_folder(parser)
    add_gallery_flags(parser, optional=True)
    parser.add_argument("person", type=word, metavar="PERSON", help=person_help)
    return parser


def _edit(parsed: argparse.Namespace, change: Callable[[Any, TimelineFile, SegmentRules], TimelineFile]) -> int:
    with open_console(parsed.verbosity):
        from processors.commands import people_editor
        from processors.commands.timeline_edits import edit_people

        return _finish(
            parsed, lambda folder: edit_people(folder, lambda timeline, rules: change(people_editor, timeline, rules))
        )


def print_people(folder: Path, timeline: TimelineFile) -> None:
    """Print the people after the edit."""
    from processors.commands.people_table import people_lines
    from processors.results.manifest import read_manifest

    print_lines(people_lines(timeline, read_manifest(folder)))


def _finish(parsed: argparse.Namespace, edit: Callable[[Path], TimelineFile], *, undoes: bool = False) -> int:
    """Edit the folder, tell the gallery, and print the people after the edit."""
    from processors.results.output_leases import gallery_lease
    from processors.results.result_lookup import find_folder
    from processors.results.result_tree import output_root
    from processors.results.timeline_file import timeline_sha256

    folder = find_folder(parsed.folder, parsed.output)
    gallery = gallery_file(parsed, output_root(folder))
    with gallery_lease(gallery, output_root(folder)):
        before = timeline_sha256(folder) or ""
        edited = edit(folder)
        if undoes:
            follow_edited_timeline(folder, edited, gallery, restored=timeline_sha256(folder) or "")
        else:
            follow_edited_timeline(folder, edited, gallery, edited=before)
    logger.info("timeline.json is updated; to make the clips again: %s", program_command("render", str(folder)))
    print_people(folder, edited)
    return EXIT_DONE
