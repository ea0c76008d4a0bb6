"""index.html of an output folder: all its videos with their people, and the inputs that failed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from processors.batch.batch_summary import UNFINISHED, BatchSummary
from processors.pages.doubt_text import doubt_text
from processors.pages.html_page import PALETTE, has_state, is_our_page, page_parts, page_state
from processors.pages.people_page import PEOPLE_PAGE
from processors.results.manifest import ManifestFile, ManifestInput, read_view
from processors.results.manifest_people import ManifestDoubt, ManifestPart
from processors.results.result_tree import FACE_FILE, REPORT_FILE, folder_name, result_folders
from utils.console.printable_text import ascii_safe
from utils.files import write_parts

logger = logging.getLogger(__name__)

INDEX_FILE = "index.html"
_FILES = ("index.html.j2", ("page.css", "search.css", "index.css"), ("search.js",))

_FACES_SHOWN = 8


class _IndexVideo(ManifestPart, frozen=True, kw_only=True):
    duration_s: float


class _IndexPerson(ManifestPart, frozen=True, kw_only=True):
    name: str
    on_screen_s: float
    clips: int
    doubt: ManifestDoubt = ManifestDoubt()


class IndexView(ManifestPart, frozen=True, kw_only=True):
    """The part of a manifest that the index needs; the rest is skipped. clips, warnings: only counted."""

    input: ManifestInput
    video: _IndexVideo
    people: tuple[_IndexPerson, ...]
    clips: tuple[msgspec.Raw, ...]
    warnings: tuple[msgspec.Raw, ...]
    files: tuple[ManifestFile, ...]


def write_index(output_dir: Path, summary: BatchSummary) -> None:
    """Write index.html about every video below `output_dir`, of this run or earlier ones, and the inputs that are not
    done.

    An index.html that this program did not make is left alone.

    Raises:
        OSError: it cannot be written.
    """
    path = output_dir / INDEX_FILE
    if path.exists() and not is_our_page(path):
        logger.warning("%s was not made by this program and is left alone", path)
        return
    people_page = PEOPLE_PAGE if (output_dir / PEOPLE_PAGE).exists() else ""
    values = index_values(_views(output_dir), summary, people_page)
    if has_state(path, values["state"]):
        return
    write_parts(path, index_parts(values))


def index_parts(values: dict[str, Any]) -> Iterator[str]:
    """The page that shows `index_values`, piece by piece."""
    return page_parts(*_FILES, values)


def index_values(
    manifests: Iterable[tuple[str, IndexView]], summary: BatchSummary, people_page: str = ""
) -> dict[str, Any]:
    """What the page shows, and its `page_state`.

    people_page: file name of the page by person, "" without one.
    manifests: with the name of each video's folder, in the order of the page. They are taken one at a time and not
    kept, because the manifest of a long video has tens of megabytes.
    """
    videos: list[dict[str, Any]] = []
    for folder, manifest in manifests:
        if any(entry.file == REPORT_FILE for entry in manifest.files):
            videos.append(_video(folder, manifest))
        # Otherwise it would live until the next one has been read.
        del manifest
    _add_folders_to_equal_names(videos)
    values: dict[str, Any] = {
        "videos": videos,
        "people_page": people_page,
        "problems": [
            {"label": ascii_safe(Path(result.label).name), "status": result.status, "reason": result.reason}
            for result in (*summary.results, *summary.earlier)
            if result.status in UNFINISHED
        ],
    }
    return {**values, "state": page_state(*_FILES, [values])}


def _views(output_dir: Path) -> Iterator[tuple[str, IndexView]]:
    for path in result_folders(output_dir):
        view = read_view(path, IndexView)
        if view is not None:
            yield folder_name(path, output_dir), view
        del view


def _add_folders_to_equal_names(videos: list[dict[str, Any]]) -> None:
    """Add the folder to the names of videos that have the same name."""
    frequency = Counter(video["name"] for video in videos)
    for video in videos:
        if frequency[video["name"]] > 1:
            video["name"] = f"{video['name']} ({video['folder']})"


def _video(folder: str, manifest: IndexView) -> dict[str, Any]:
    files = {entry.file for entry in manifest.files}
    people = [
        {
            "name": person.name,
            "face": f"{folder}/{file}" if (file := f"{person.name}/{FACE_FILE}") in files else "",
            "on_screen_s": person.on_screen_s,
            "color": number % PALETTE,
        }
        for number, person in enumerate(manifest.people)
        if person.clips
    ]
    return {
        "name": manifest.input.name,
        "folder": folder,
        "place": folder.rpartition("/")[0],
        "page": f"{folder}/{REPORT_FILE}",
        "duration_s": manifest.video.duration_s,
        "people": people[:_FACES_SHOWN],
        "more": [person["name"] for person in people[_FACES_SHOWN:]],
        "doubtful": sum(bool(doubt_text(person.doubt)) for person in manifest.people),
        "people_count": len(people),
        "without_clip": len(manifest.people) - len(people),
        "clips": len(manifest.clips),
        "warnings": len(manifest.warnings),
    }
