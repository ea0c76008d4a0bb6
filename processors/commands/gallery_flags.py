"""Common parts of the commands that read or change the gallery of known people."""

from __future__ import annotations

import argparse
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import GalleryError, SettingsError
from core.options import options
from processors.commands.argument_parser import Parser
from processors.commands.settings_flags import add_settings, settings_from

if TYPE_CHECKING:
    from processors.known_people.gallery import Gallery
    from processors.results.timeline_file import TimelineFile

logger = logging.getLogger(__name__)


def add_gallery_flags(parser: Parser, *, optional: bool) -> None:
    """Add --gallery and, if the command can do without a gallery, --no-gallery."""
    names = {"gallery", "no_gallery"} if optional else {"gallery"}
    add_settings(parser, [option for option in options() if option.section == "people" and option.name in names])


def gallery_file(parsed: argparse.Namespace, output_dir: Path) -> Path | None:
    """The gallery that the flags mean; None if it does not exist or is not wanted."""
    from processors.known_people.people_sources import gallery_path

    path = gallery_path(settings_from(parsed).people, output_dir)
    return path if path is not None and path.exists() else None


@contextlib.contextmanager
def existing_gallery(parsed: argparse.Namespace, output_dir: Path) -> Iterator[Gallery]:
    """The open gallery; afterwards people.json and people.html are updated.

    Raises:
        SettingsError: there is none.
        GalleryError: it cannot be used.
        OutputError: another machine uses it, or the pages cannot be written.
    """
    from processors.batch.people_pages import refresh_people_pages
    from processors.known_people.gallery import Gallery
    from processors.results.output_leases import gallery_lease

    path = gallery_file(parsed, output_dir)
    if path is None:
        hint = "run videos first; -o names their output folder, --gallery the file"
        raise SettingsError("has no gallery of people yet", path=output_dir, hint=hint)
    with gallery_lease(path, output_dir):
        with Gallery(path) as gallery:
            yield gallery
        refresh_people_pages(output_dir, path)


def follow_edited_timeline(
    folder: Path, timeline: TimelineFile, path: Path | None, *, edited: str = "", restored: str = ""
) -> None:
    """Tell the gallery in the file `path` how a video's people were corrected; None: there is no gallery.

    edited: sha256 of the timeline before an edit. restored: of the one that `undo` restored.
    A gallery that cannot be used gives a warning: it learns of the edits when the clips are made again.
    """
    from processors.batch.people_pages import refresh_people_pages
    from processors.known_people.gallery import Gallery
    from processors.known_people.gallery_types import PersonOfVideo, VideoKey
    from processors.known_people.gallery_videos import follow_edits
    from processors.results.manifest import read_manifest
    from processors.results.result_lookup import recorded_fingerprint
    from processors.results.result_tree import folder_name, output_root

    if path is None:
        return
    manifest = read_manifest(folder)
    clips = {person.name: person.clips for person in manifest.people} if manifest is not None else {}
    lives = {tracklet.id: tracklet.end_s - tracklet.start_s for tracklet in timeline.tracklets}
    people = [
        PersonOfVideo(
            person.name,
            person.tracklets,
            round(sum(lives[number] for number in person.tracklets), 3),
            clips.get(person.name, len(person.segments)),
        )
        for person in timeline.people
    ]
    video = VideoKey(recorded_fingerprint(folder), timeline.analysis, timeline.input, folder_name(folder))
    try:
        with Gallery(path) as gallery:
            divided = {d.id: d.tracklet for d in timeline.divisions}
            follow_edits(gallery, video, people, divided, edited=edited, restored=restored)
    except GalleryError as error:
        logger.warning("%s; the gallery will be updated when the clips are made again", error)
        return
    refresh_people_pages(output_root(folder), path)
