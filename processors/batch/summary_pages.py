"""The files of an output folder that describe all its videos: summary.json, people.json, people.html and index.html.

They are made from the results in the folder, by one process at a time, so the last one to finish includes the others'.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from core.errors import OutputError
from processors.batch.batch_summary import (
    HAVE_RESULTS,
    UNFINISHED,
    BatchSummary,
    last_summary,
    still_counts,
    with_earlier,
)
from processors.batch.index_writer import write_index
from processors.batch.input_result import InputResult
from processors.batch.people_pages import write_people_pages
from processors.results.manifest import read_manifest, read_view
from processors.results.manifest_people import ManifestPart
from processors.results.output_leases import OutputLeases
from processors.results.result_tree import folder_name, result_folders


class _Counts(ManifestPart, frozen=True, kw_only=True):
    """The part of a manifest that says how many there are, undecoded."""

    people: tuple[msgspec.Raw, ...]
    clips: tuple[msgspec.Raw, ...]


def write_summary_pages(output_dir: Path, gallery: Path | None, summary: BatchSummary | None = None) -> None:
    """Write the pages of `output_dir` and, after a run, its summary.json.

    gallery: file of the gallery; None: the pages by person stay as they are. summary: of a run that has ended; it is
    written with the entries of other inputs that summary.json had before. None: results were corrected or removed;
    summary.json is written if what it says of them has changed.

    Raises:
        OutputError: a file cannot be written, or another process is still writing them when the wait for it times out.
    """
    with _pages_lease(output_dir):
        if summary is None:
            before = last_summary(output_dir)
            summary = _with_counts(before, output_dir)
            if summary != before:
                summary.write(output_dir)
        else:
            summary = with_earlier(summary, output_dir)
            summary.write(output_dir)
        _write_pages(output_dir, gallery, summary)


def rebuild_summary_pages(output_dir: Path, gallery: Path | None) -> int:
    """Write the summary and the pages anew from the results in `output_dir`; returns the number of videos there.

    gallery: as in `write_summary_pages`.

    Raises:
        OutputError: as in `write_summary_pages`.
    """
    with _pages_lease(output_dir):
        summary, videos = rebuilt_summary(output_dir)
        summary.write(output_dir)
        _write_pages(output_dir, gallery, summary)
    return videos


def rebuilt_summary(output_dir: Path) -> tuple[BatchSummary, int]:
    """The summary.json of `output_dir`, brought up to date with the results that are there, and their number.

    What is no longer there is left out. Results that it does not know are added, by the name of their video.
    """
    before = last_summary(output_dir)
    folders = {folder_name(folder, output_dir): folder for folder in result_folders(output_dir)}
    kept = [r for r in (*before.results, *before.earlier) if still_counts(r, has_folder=r.folder in folders)]
    known = {result.folder for result in kept if result.status not in UNFINISHED}
    added = [_result(name, folder) for name, folder in folders.items() if name not in known]
    summary = dataclasses.replace(
        before,
        results=tuple(result for result in kept if result.last_run),
        earlier=(*(result for result in kept if not result.last_run), *filter(None, added)),
    )
    return _with_counts(summary, output_dir), len(folders)


def _with_counts(summary: BatchSummary, output_dir: Path) -> BatchSummary:
    """`summary` with the people and clips that finished results have now; without results that are gone."""

    def current(results: Iterable[InputResult]) -> Iterator[InputResult]:
        for result in results:
            folder = output_dir / result.folder
            counts = read_view(folder, _Counts) if result.status in HAVE_RESULTS else None
            if counts is not None:
                yield dataclasses.replace(result, people=len(counts.people), clips=len(counts.clips))
            elif still_counts(result, has_folder=folder.is_dir()):
                yield result

    return dataclasses.replace(
        summary, results=tuple(current(summary.results)), earlier=tuple(current(summary.earlier))
    )


def _result(name: str, folder: Path) -> InputResult | None:
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    return InputResult(
        manifest.input.name,
        name,
        "cached",
        people=len(manifest.people),
        clips=len(manifest.clips),
        duration_s=manifest.video.duration_s,
        folder=name,
        last_run=False,
    )


@contextlib.contextmanager
def _pages_lease(output_dir: Path) -> Iterator[None]:
    with OutputLeases(output_dir).pages():
        try:
            yield
        except OSError as error:
            raise OutputError(f"cannot write the summary: {error.strerror}", path=output_dir) from error


def _write_pages(output_dir: Path, gallery: Path | None, summary: BatchSummary) -> None:
    if gallery is not None:
        write_people_pages(output_dir, gallery)
    write_index(output_dir, summary)
