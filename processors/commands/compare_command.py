"""`main.py compare SOURCE TARGET ...`: how similar the faces in other photos are to the one in a photo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import OutputError, SettingsError
from processors.batch.exit_codes import EXIT_DONE, EXIT_FAILED
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, existing_place, new_parser, path
from processors.commands.console import open_console
from processors.commands.photo_flags import NO_PHOTOS, network_options, networks, refuse_after_crash
from processors.commands.settings_flags import add_settings, settings_from
from utils.console.stdout_guard import print_lines
from utils.files import write_bytes

if TYPE_CHECKING:
    from core.model_manager import ModelManager
    from processors.known_people.photo_compare import Comparison

_WORK = "compare"
_DRAWING_QUALITY = 90


def parser() -> Parser:
    """Return the parser of `compare`."""
    result = new_parser(
        "compare",
        "Compare the largest face of a photo with every face of other photos. A similarity of 0.5 or more means the "
        "same person.",
        output=False,
    )
    result.add_argument("source", type=existing_place, metavar="SOURCE", help="photo of one person")
    result.add_argument(
        "targets", nargs="+", type=existing_place, metavar="TARGET", help="photos, or folders of photos"
    )
    result.add_argument("--json", action="store_true", help="print JSON instead of a table")
    result.add_argument(
        "--draw", type=path, metavar="DIR", help="write each target with a box and a similarity for each face to DIR"
    )
    add_settings(result, network_options())
    return result


def run(arguments: Sequence[str], journal: RunJournal) -> int:
    """Compare and print; returns the exit code: 1 if a target could not be read."""
    parsed = parser().parse_args(arguments)
    settings = settings_from(parsed)
    with open_console(parsed.verbosity):
        import msgspec

        from processors.batch.cache_fallback import usable_cache
        from processors.known_people.photo_compare import comparison_lines
        from processors.known_people.photo_sorter import find_photos

        refuse_after_crash(journal, _WORK)
        given = map(Path, parsed.targets)
        found = [photo for place in given for photo in (find_photos(place) if place.is_dir() else [place])]
        # A named photo may also lie in a named folder.
        targets = list({photo.absolute(): photo for photo in found}.values())
        if not targets:
            raise SettingsError("there are no photos", path=Path(parsed.targets[0]), hint=NO_PHOTOS)
        with journal.working_on(_WORK, "photos"), usable_cache(settings) as usable:
            compared = list(_compared(Path(parsed.source), targets, parsed.draw, networks(usable)))
    if parsed.json:
        print_lines([msgspec.json.format(msgspec.json.encode(compared), indent=2).decode()])
    else:
        print_lines(comparison_lines(compared))
    return EXIT_FAILED if any(comparison.error for comparison in compared) else EXIT_DONE


def _compared(source: Path, targets: Sequence[Path], draw: Path | None, models: ModelManager) -> Iterator[Comparison]:
    from processors.known_people.photo_compare import compare_photos, draw_comparison, drawing_names
    from utils.images.rgb_images import encode_jpeg

    names = drawing_names(targets)
    for (comparison, seen), name in zip(compare_photos(source, targets, models), names, strict=True):
        image = None if draw is None else draw_comparison(seen, comparison)
        if draw is not None and image is not None:
            try:
                draw.mkdir(parents=True, exist_ok=True)
                write_bytes(draw / name, encode_jpeg(image, _DRAWING_QUALITY))
            except OSError as error:
                message = f"the drawing cannot be written: {error.strerror or error}"
                raise OutputError(message, path=draw / name) from error
        yield comparison
