"""`main.py name|link|unlink|forget`: say who people are, across videos."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import SettingsError
from core.options import options
from core.project_folders import OUTPUT_DIR
from processors.batch.exit_codes import EXIT_DONE, EXIT_FAILED
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, new_parser, word
from processors.commands.cache_command import CACHE_SETTINGS
from processors.commands.console import open_console
from processors.commands.gallery_flags import add_gallery_flags, existing_gallery
from processors.commands.settings_flags import add_settings, settings_from
from utils.console.plurals import count_of
from utils.console.printable_text import ascii_safe
from utils.console.program_command import program_command
from utils.console.stdout_guard import print_lines

if TYPE_CHECKING:
    from core.analysis_store import AnalysisStore
    from processors.known_people.gallery import Gallery
    from processors.known_people.gallery_types import Appearance, Forgotten, GalleryPerson

logger = logging.getLogger(__name__)

_WHO = "id (P0007) or name, as main.py people lists them"
_APPEARANCE = f"person of a video (interview/person_02), or {_WHO}"
_THEN_RUN = "The next run gives folders and pages the new name; clips are not encoded again."
_LATER = "the next run changes the names of folders and files; no clip is encoded again"


def name_parser() -> Parser:
    """Return the parser of `name`."""
    parser = _parser("name", f"Give a person a name that holds in all videos. {_THEN_RUN}")
    parser.add_argument("person", type=word, metavar="PERSON", help=_WHO)
    parser.add_argument("new_name", type=word, metavar="NAME", help='new name; "" takes the name away')
    return parser


def name(arguments: Sequence[str], _: RunJournal) -> int:
    """`main.py name P0007 NAME`."""
    parsed = name_parser().parse_args(arguments)
    with open_console(parsed.verbosity), existing_gallery(parsed, parsed.output) as gallery:
        person = gallery.name(parsed.person, parsed.new_name)
        logger.info(_LATER)
    print_lines([f"{person.id} is called {person.name}" if person.name else f"{person.id} has no name"])
    return EXIT_DONE


def link_parser() -> Parser:
    """Return the parser of `link`."""
    parser = _parser("link", f"Say that two people are one. {_THEN_RUN}")
    parser.add_argument("appearance", type=word, metavar="PERSON", help=_APPEARANCE)
    parser.add_argument("person", type=word, metavar="KNOWN", help=f"who it is: {_APPEARANCE}; this id and name stay")
    return parser


def link(arguments: Sequence[str], _: RunJournal) -> int:
    """`main.py link interview/person_02 P0007` or `main.py link P0009 P0007`."""
    parsed = link_parser().parse_args(arguments)
    with open_console(parsed.verbosity), existing_gallery(parsed, parsed.output) as gallery:
        from processors.known_people.gallery_videos import link_appearance

        known = _known(gallery, parsed.person, parsed.output)
        if place := _appearance(gallery, parsed.appearance, parsed.output):
            link_appearance(gallery, *place, known)
        else:
            gallery.unite(known, parsed.appearance)
        person = gallery.find(known)
        logger.info(_LATER)
        for hint in _merge_hints(person, parsed.output):
            logger.info(hint)
    print_lines([f"{parsed.appearance} is {person.id} {person.name}".rstrip()])
    return EXIT_DONE


def unlink_parser() -> Parser:
    """Return the parser of `unlink`."""
    parser = _parser("unlink", f"Say that two people are not the same; that is remembered for good. {_THEN_RUN}")
    parser.add_argument("appearance", type=word, metavar="PERSON", help=_APPEARANCE)
    parser.add_argument(
        "person", nargs="?", type=word, metavar="OTHER", help="who it is not; may be left out for a person of a video"
    )
    return parser


def unlink(arguments: Sequence[str], _: RunJournal) -> int:
    """`main.py unlink interview/person_02` or `main.py unlink P0009 P0007`."""
    parsed = unlink_parser().parse_args(arguments)
    with open_console(parsed.verbosity), existing_gallery(parsed, parsed.output) as gallery:
        from processors.known_people.gallery_videos import unlink_appearance
        from processors.known_people.person_names import person_id

        place = _appearance(gallery, parsed.appearance, parsed.output)
        one = _known(gallery, parsed.appearance, parsed.output)
        other = None if parsed.person is None else _known(gallery, parsed.person, parsed.output)
        if other is not None and (place is None or gallery.find(one).number != gallery.find(other).number):
            gallery.set_apart(one, other)
            line = f"{parsed.appearance} and {parsed.person} are two people"
        elif place is not None:
            line = f"{parsed.appearance} is {person_id(unlink_appearance(gallery, *place))} now"
        else:
            hint = "unlink interview/person_02, or unlink P0009 P0007"
            raise SettingsError("say who the person is not", hint=hint)
        logger.info(_LATER)
    print_lines([line])
    return EXIT_DONE


def forget_parser() -> Parser:
    """Return the parser of `forget`."""
    parser = _parser(
        "forget",
        "Delete what was kept of a person's face: vectors, thumbnails and the stored analyses of their videos. "
        "Finished clips stay, and are listed.",
    )
    parser.add_argument("person", type=word, metavar="PERSON", help=_WHO)
    add_settings(parser, [option for option in options() if option.name in CACHE_SETTINGS])
    return parser


def forget(arguments: Sequence[str], _: RunJournal) -> int:
    """`main.py forget Anna`; returns the exit code: 1 if something could not be deleted."""
    parsed = forget_parser().parse_args(arguments)
    with open_console(parsed.verbosity):
        from processors.video.analysis_key import make_store

        settings = settings_from(parsed)
        with existing_gallery(parsed, parsed.output) as gallery:
            gone = gallery.forget(parsed.person)
        kept = _remove_analyses(make_store(settings), gone)
    print_lines(_forgotten_lines(gone, parsed.output, kept))
    return EXIT_FAILED if gone.still_in_log or kept else EXIT_DONE


def _parser(command: str, purpose: str) -> Parser:
    parser = new_parser(command, purpose)
    add_gallery_flags(parser, optional=False)
    return parser


def _appearance(gallery: Gallery, text: str, output_dir: Path) -> tuple[str, str] | None:
    """Folder and label if `text` means a person of a video; None if it means a person of the gallery.

    Text names the folder in the output folder, as pages do ("2024/may/interview/person_02"), or is a path.
    """
    if "/" not in text.strip("/"):
        return None
    try:
        gallery.find(text)
    except SettingsError:
        folder, label = Path(text).parent, Path(text).name
        # Resolved, so that a link on the way does not make two paths of one.
        root, place = output_dir.resolve(), folder.resolve()
        return (place.relative_to(root) if root in place.parents else folder).as_posix(), label
    return None


def _known(gallery: Gallery, text: str, output_dir: Path) -> str:
    """`text`, an id or a name, or the id of the person of a video that it means."""
    from processors.known_people.gallery_videos import number_of_appearance
    from processors.known_people.person_names import person_id

    place = _appearance(gallery, text, output_dir)
    return text if place is None else person_id(number_of_appearance(gallery, *place))


def _merge_hints(person: GalleryPerson, output_dir: Path) -> Iterator[str]:
    """How to put the clips of a person who has several folders in one video into one."""
    from processors.people.numbered_names import name_order

    own: dict[str, list[Appearance]] = {}
    for appearance in person.appearances:
        own.setdefault(appearance.folder, []).append(appearance)
    for folder, shown in own.items():
        if len(shown) > 1:
            shown.sort(key=lambda a: name_order(a.label, a.on_screen_s))
            labels = [a.label for a in shown]
            output = () if output_dir == OUTPUT_DIR else ("-o", str(output_dir))
            command = program_command("merge", folder, *labels, *output)
            yield f"{ascii_safe(folder)} has {len(shown)} folders of this person; to make one of them: {command}"


def _remove_analyses(store: AnalysisStore, gone: Forgotten) -> list[Path]:
    """Remove the stored analyses with the person's embeddings, and their signals; returns those that remain."""
    entries = [entry for entry in store.entries() if entry.analysis in gone.analyses]
    return [entry.path for entry in entries if not store.remove(entry)]


def _forgotten_lines(gone: Forgotten, output_dir: Path, kept: Sequence[Path]) -> list[str]:
    from processors.known_people.person_names import person_id

    lines = [
        f"{person_id(gone.number)} {ascii_safe(gone.name)}".rstrip()
        + f" is forgotten: {count_of(gone.faces, 'face')} deleted from the gallery",
        *(f"still there: {ascii_safe(str(path))} (it cannot be removed)" for path in kept),
    ]
    if gone.still_in_log:
        lines.append(f"still there: {gone.still_in_log}")
    lines += [f"still there: {_remains(appearance, output_dir)}" for appearance in gone.appearances]
    lines += [f"still there: photos in {ascii_safe(place)}, which name the person again" for place in gone.places]
    return lines


def _remains(appearance: Appearance, output_dir: Path) -> str:
    """What a forgotten person leaves in the results of a video."""
    from processors.results.result_tree import REPORT_FILE

    folder = output_dir / appearance.folder
    if (folder / appearance.label).exists():
        return f"clips and images in {ascii_safe(str(folder / appearance.label))}"
    if folder.exists():
        return f"images in {ascii_safe(str(folder / REPORT_FILE))}"
    return (
        f"results of {ascii_safe(appearance.video)}, if they were moved; they are not in {ascii_safe(str(output_dir))}"
    )
