"""index.html of an output folder: all its videos with their people, and what could not be done."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import ascii_safe
from processors.batch_summary import BatchSummary
from processors.output_folder import read_manifest
from processors.page import PALETTE, render_page
from processors.report_writer import REPORT_FILE
from processors.result_pictures import FACE_FILE
from utils.files import PARTIAL_PREFIX, write_text

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
    if path.exists() and _OUR_MARK not in path.read_bytes()[:4096]:
        logger.warning("%s was not made by this program and is left alone", path)
        return
    write_text(path, index_html(_manifests(output_dir), summary))


def index_html(manifests: Mapping[str, Mapping[str, Any]], summary: BatchSummary) -> str:
    """The page. manifests: by the name of the video's folder."""
    values = {
        "videos": [video for folder in sorted(manifests) for video in _video(folder, manifests[folder])],
        "problems": [
            {"label": ascii_safe(Path(result.label).name), "status": result.status, "reason": result.reason}
            for result in summary.results
            if result.status in ("failed", "interrupted")
        ],
    }
    return render_page("index.html.j2", ("page.css", "index.css"), "index.js", values)


def _manifests(output_dir: Path) -> dict[str, Mapping[str, Any]]:
    folders = [path for path in output_dir.iterdir() if path.is_dir() and not path.name.startswith(PARTIAL_PREFIX)]
    found = {path.name: read_manifest(path) for path in folders}
    return {name: manifest for name, manifest in found.items() if manifest}


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
                "name": manifest["input"]["name"],
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
