"""`main.py photos DIR`: who is in the photos of a folder, and which are blurred; sorts them into folders on request."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import GalleryError, OutputError, SettingsError
from processors.batch.exit_codes import EXIT_DONE, EXIT_FAILED
from processors.batch.run_journal import RunJournal
from processors.commands.argument_parser import Parser, existing_place, new_parser, path
from processors.commands.console import open_console
from processors.commands.photo_flags import NO_PHOTOS, network_options, networks, people_options, refuse_after_crash
from processors.commands.settings_flags import add_settings, settings_from
from utils.console.plurals import count_of
from utils.console.stdout_guard import print_lines
from utils.files import write_text

if TYPE_CHECKING:
    from config import Settings
    from core.model_manager import ModelManager
    from processors.known_people.person_matching import KnownPerson, LinkRules
    from processors.known_people.photo_sorter import SortedPhoto

logger = logging.getLogger(__name__)

_WORK = "photos"
_THUMBNAIL_PX, _THUMBNAIL_QUALITY = 320, 80


def parser() -> Parser:
    """Return the parser of `photos`."""
    result = new_parser(
        "photos",
        "List the photos of a folder: who is in them (of the people whom --people and the gallery of the output folder "
        "name), and whether they are sharp. The photos themselves are never changed.",
    )
    result.add_argument("folder", type=existing_place, metavar="DIR", help="folder of photos, with its subfolders")
    result.add_argument("--json", action="store_true", help="print JSON instead of a table")
    result.add_argument("--html", type=path, metavar="FILE.html", help="write a page with all photos to FILE.html")
    sort = result.add_mutually_exclusive_group()
    sort.add_argument(
        "--move",
        type=path,
        metavar="OUT",
        help="move each photo into OUT/NAME of the largest known face, or OUT/blurred",
    )
    sort.add_argument("--link", type=path, metavar="OUT", help="make links in OUT/NAME of every known face instead")
    add_settings(result, [*network_options(), *people_options()])
    return result


def run(arguments: Sequence[str], journal: RunJournal) -> int:
    """List and sort; returns the exit code: 1 if a photo could not be read."""
    parsed = parser().parse_args(arguments)
    settings = settings_from(parsed)
    with open_console(parsed.verbosity):
        import msgspec

        from processors.batch.cache_fallback import usable_cache
        from processors.known_people.person_matching import LinkRules
        from processors.known_people.photo_sorter import carry_out, find_photos, photo_lines, plan_sorting

        refuse_after_crash(journal, _WORK)
        folder = Path(parsed.folder)
        _check_targets(folder, parsed.move or parsed.link, parsed.html)
        paths = find_photos(folder)
        if not paths:
            raise SettingsError("there are no photos", path=folder, hint=NO_PHOTOS)
        rules = LinkRules(settings.people.same_name, settings.people.name_margin)
        with journal.working_on(_WORK, "photos"), usable_cache(settings) as usable:
            models = networks(usable)
            known = _known(usable, parsed.output, models, rules)
            photos, thumbnails = _look(paths, folder, models, known, rules, thumbnails=parsed.html is not None)
        if parsed.html is not None:
            _write_page(parsed.html, photos, thumbnails)
        if out := parsed.move or parsed.link:
            plan = plan_sorting(list(zip(photos, paths, strict=True)), out, every_person=parsed.link is not None)
            done = sum(1 for _ in carry_out(plan, "link" if parsed.link else "move"))
            logger.info("%s in %s", count_of(done, "link" if parsed.link else "photo"), out)
    if parsed.json:
        print_lines([msgspec.json.format(msgspec.json.encode(photos), indent=2).decode()])
    else:
        print_lines(photo_lines(photos))
    return EXIT_FAILED if any(photo.error for photo in photos) else EXIT_DONE


def _check_targets(folder: Path, sorted_: Path | None, page: Path | None) -> None:
    """Refuse what would lose something, or would be read as photos of the same folder the next time.

    Raises:
        SettingsError: photos are to be sorted into `folder`, or the page would replace a file of something else.
    """
    from processors.pages.html_page import is_our_page

    if sorted_ is not None and folder.resolve() in (sorted_.resolve(), *sorted_.resolve().parents):
        message = "is inside the folder of the photos, so the next call would sort its copies, too"
        raise SettingsError(message, path=sorted_, hint="name a folder beside it")
    if page is not None and page.is_file() and not is_our_page(page):
        raise SettingsError(
            "exists, and is not a page of this program", path=page, hint="name another file with --html"
        )


def _look(
    paths: Sequence[Path],
    folder: Path,
    models: ModelManager,
    known: Sequence[KnownPerson],
    rules: LinkRules,
    *,
    thumbnails: bool,
) -> tuple[list[SortedPhoto], list[bytes]]:
    """Who is in the photos, and a small JPEG of each (b"" if it cannot be read) if `thumbnails`."""
    from processors.known_people.photo_sorter import examine_photos
    from utils.images.rgb_images import encode_jpeg, fit_within

    photos, small = [], []
    for photo, seen in examine_photos(paths, folder, models, known, rules):
        photos.append(photo)
        if thumbnails:
            pixels = None if seen.photo is None else fit_within(seen.photo.pixels, _THUMBNAIL_PX)
            small.append(b"" if pixels is None else encode_jpeg(pixels, _THUMBNAIL_QUALITY))
        if len(photos) % 100 == 0:
            logger.info("%d of %s", len(photos), count_of(len(paths), "photo"))
    return photos, small


def _known(settings: Settings, output_dir: Path, models: ModelManager, rules: LinkRules) -> list[KnownPerson]:
    """The known people who may be in the photos. A gallery that cannot be used gives a warning."""
    from core.models.embedder_spec import link_curves_of
    from processors.known_people.gallery import Gallery
    from processors.known_people.gallery_types import EmbedderKey
    from processors.known_people.known_faces import KnownFaces
    from processors.known_people.people_sources import gallery_path, photo_folder
    from processors.known_people.photo_candidates import known_in_gallery, with_photos
    from processors.known_people.reference_photos import read_reference_photos
    from processors.results.output_leases import gallery_lease

    known: list[KnownPerson] = []
    place = gallery_path(settings.people, output_dir)
    if place is not None and (settings.people.gallery or place.exists()):
        embedder = models.describe()["embedder"]
        key = EmbedderKey(embedder["name"], embedder["sha256"])
        try:
            with gallery_lease(place, output_dir), Gallery(place, for_reading=True) as gallery:
                known = known_in_gallery(gallery, KnownFaces(key, link_curves_of(key.name), rules))
        except (GalleryError, OutputError) as error:
            logger.warning("%s; continuing without it", error)
    folder = photo_folder(settings.people)
    if folder is not None:
        found = read_reference_photos(folder, models)
        for line in found.lines:
            logger.warning("%s", line)
        known = with_photos(known, found.photos)
    return known


def _write_page(file: Path, photos: Sequence[SortedPhoto], thumbnails: Sequence[bytes]) -> None:
    from processors.pages.photos_page import photos_html

    try:
        write_text(file, photos_html(photos, thumbnails))
    except OSError as error:
        message = f"the page cannot be written: {error.strerror or error}"
        raise OutputError(message, path=file, hint="name another file with --html") from error
