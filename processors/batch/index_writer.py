"""index.html of an output folder: all its videos with their people, and what could not be done."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import ascii_safe
from processors.batch.batch_summary import BatchSummary
from processors.results.html_page import PALETTE, page_parts
from processors.results.output_folder import read_manifest
from processors.results.report_writer import REPORT_FILE
from processors.results.result_pictures import FACE_FILE
from utils.files import PARTIAL_PREFIX, atomic_path

logger = logging.getLogger(__name__)

INDEX_FILE = "index.html"

_FACES_SHOWN = 8
_OUR_MARK = b'<meta name="generator" content="people out of videos '


def write_index(output_dir: Path, summary: BatchSummary) -> None:
    """Write index.html about every video below `output_dir`, of this run or of earlier ones, and this run's failures.

    Raises:
        OSError: it cannot be written.
    """
    path = output_dir / INDEX_FILE
    if path.exists() and not _is_ours(path):
        logger.warning("%s was not made by this program and is left alone", path)
        return
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(index_parts(_manifests(output_dir), summary))


def index_parts(manifests: Iterable[tuple[str, Mapping[str, Any]]], summary: BatchSummary) -> Iterator[str]:
    """The page, piece by piece.

    manifests: with the names of the videos' folders, in the order of the page. They are taken one at a time, because
    that of a long video has tens of megabytes; only what the page shows of it is kept.
    """
    videos: list[dict[str, Any]] = []
    for folder, manifest in manifests:
        videos += _video(folder, manifest)
        # The next one is read before the name is bound anew.
        del manifest
    _tell_apart(videos)
    values = {
        "videos": videos,
        "problems": [
            {"label": ascii_safe(Path(result.label).name), "status": result.status, "reason": result.reason}
            for result in summary.results
            if result.status in ("failed", "interrupted")
        ],
    }
    return page_parts("index.html.j2", ("page.css", "index.css"), "index.js", values)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return _OUR_MARK in file.read(4096)


def _manifests(output_dir: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in sorted(output_dir.iterdir()):
        if path.is_dir() and not path.name.startswith(PARTIAL_PREFIX):
            yield path.name, read_manifest(path) or {}


def _tell_apart(videos: list[dict[str, Any]]) -> None:
    """Add the folder to the names of videos that are called the same."""
    frequency = Counter(video["name"] for video in videos)
    for video in videos:
        if frequency[video["name"]] > 1:
            video["name"] = f"{video['name']} ({video['folder']})"


def _video(folder: str, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is shown of a video; nothing of one whose manifest is damaged or tells of no report."""
    try:
        files = {entry["file"] for entry in manifest["files"]}
        if REPORT_FILE not in files:
            return []
        people = [
            {
                "name": person["name"],
                "face": f"{folder}/{person['name']}/{FACE_FILE}",
                "on_screen_s": float(person["on_screen_s"]),
                "color": number % PALETTE,
            }
            for number, person in enumerate(manifest["people"])
            if f"{person['name']}/{FACE_FILE}" in files
        ]
        return [
            {
                "name": str(manifest["input"]["name"]),
                "folder": folder,
                "page": f"{folder}/{REPORT_FILE}",
                "duration_s": float(manifest["video"]["duration_s"]),
                "people": people[:_FACES_SHOWN],
                "more": max(0, len(people) - _FACES_SHOWN),
                "people_count": len(manifest["people"]),
                "clips": len(manifest["clips"]),
                "warnings": len(manifest["warnings"]),
            }
        ]
    except (KeyError, TypeError, ValueError) as error:
        logger.debug("%s is left out of the index: %r", folder, error)
        return []
