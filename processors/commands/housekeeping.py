"""`main.py clean`: removes old results of one output folder, its interrupted runs, and the analyses of its results.

Only what the program made is removed: files that a manifest lists and that have not changed since, the stored analyses
that those manifests name, and the folders of `--recursive` that become empty. Other files stay, and so do the folders
that hold them.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.analysis_store import AnalysisStore
from core.errors import LeaseHeldError, OutputError
from processors.batch.index_writer import INDEX_FILE
from processors.batch.summary_pages import write_summary_pages
from processors.clips.resume_journal import has_finished_clips, last_clip_at
from processors.results.manifest import MANIFEST_FILE
from processors.results.manifest_outline import ManifestOutline, ManifestState, read_outline
from processors.results.output_folder import BACKUP_FILE, remove_file
from processors.results.output_leases import OutputLeases, mark_output_folder
from processors.results.result_tree import result_folders, tree_folders
from processors.results.staging import staged_folder
from processors.results.timeline_file import TIMELINE_FILE, timeline_sha256
from processors.results.timeline_history import history_files
from utils.console.printable_text import ascii_safe
from utils.files import PARTIAL_PREFIX

logger = logging.getLogger(__name__)

LOG_FILE = "clean.log"


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that was removed or would be.

    path: a file, or a folder of results. bytes: size of what is removed. kept: listed files that stay because they
    were changed.
    """

    path: Path
    bytes: int
    kept: tuple[str, ...] = ()


def clean(
    output_dir: Path,
    store: AnalysisStore | None,
    older_than_s: float,
    *,
    dry_run: bool,
    gallery: Path | None = None,
) -> list[Removal]:
    """Remove what is too old in `output_dir`: results, finished clips of interrupted runs, and analyses of its results.

    Analyses count as old by their last use; those of other output folders stay in the store. Whatever a run is working
    on stays. Returns what was removed and appends it to clean.log in `output_dir`.
    store: None if there is none. dry_run: remove nothing, only return what would be removed. gallery: its file, for the
    pages by person, which forget the removed results; None if there is none.

    Raises:
        OutputError: `output_dir` cannot be written.
    """
    before = time.time() - older_than_s
    removed: list[Removal] = []
    analyses: frozenset[str] = frozenset()
    if output_dir.is_dir():
        # The manifests that are about to be removed name them.
        analyses = frozenset(read_outline(folder).analysis for folder in result_folders(output_dir))
        leases = OutputLeases(output_dir if dry_run else mark_output_folder(output_dir))
        removed += _clean_finished(output_dir, leases, before, dry_run=dry_run)
        removed += _clean_unfinished(output_dir, leases, before, dry_run=dry_run)
        if not dry_run:
            for item in removed:
                _remove_empty_parents(item.path, output_dir)
        if removed and not dry_run and (output_dir / INDEX_FILE).exists():
            # Links to removed results would be broken.
            write_summary_pages(output_dir, gallery)
    if store is not None:
        old = (entry for entry in store.entries() if entry.used_at < before and entry.analysis in analyses)
        removed += [Removal(entry.path, entry.bytes) for entry in old if dry_run or store.remove(entry)]
    if removed and not dry_run:
        _log(output_dir, removed)
    return removed


def removal_lines(removed: list[Removal], *, dry_run: bool) -> Iterator[str]:
    """What was removed, for the terminal."""
    for item in removed:
        kept = f" (kept, because changed: {', '.join(map(ascii_safe, item.kept))})" if item.kept else ""
        yield f"{item.bytes / 1e6:>9.1f} MB  {ascii_safe(str(item.path))}{kept}"
    total = sum(item.bytes for item in removed) / 1e6
    yield f"{len(removed)} {'would be removed' if dry_run else 'removed'}, {total:.1f} MB"


def _old_folders(output_dir: Path, before: float) -> Iterator[Path]:
    for folder in result_folders(output_dir):
        if not _holds_results(folder):
            continue
        files = (folder / MANIFEST_FILE, folder / TIMELINE_FILE)
        if max(file.stat().st_mtime for file in files if file.is_file()) < before:
            yield folder


def _holds_results(folder: Path) -> bool:
    outline = read_outline(folder)
    # Journals and manifests of other programs lack some of this.
    return outline.state is ManifestState.COMPLETE and outline.timeline is not None and outline.analysis != ""


def _clean_finished(output_dir: Path, leases: OutputLeases, before: float, *, dry_run: bool) -> Iterator[Removal]:
    """Remove old results of videos that nobody works on."""
    for folder in _old_folders(output_dir, before):
        try:
            with leases.take_video(folder):
                removal = _clean_folder(folder, dry_run=dry_run)
        except LeaseHeldError as error:
            logger.warning("%s stays: %s", ascii_safe(folder.name), error.message)
            continue
        if removal is not None:
            yield removal


def _clean_unfinished(output_dir: Path, leases: OutputLeases, before: float, *, dry_run: bool) -> Iterator[Removal]:
    """Remove finished clips of runs that were interrupted and not resumed since."""
    for staging in sorted(path for holder in tree_folders(output_dir) for path in holder.glob(f"{PARTIAL_PREFIX}*")):
        folder = staged_folder(staging)
        try:
            with contextlib.nullcontext() if folder is None else leases.take_video(folder):
                removal = _clean_staging(staging, before, dry_run=dry_run)
        except LeaseHeldError:
            continue
        if removal is not None:
            yield removal


def _clean_staging(staging: Path, before: float, *, dry_run: bool) -> Removal | None:
    if not has_finished_clips(staging) or last_clip_at(staging) >= before:
        return None
    size = sum(path.lstat().st_size for path in staging.rglob("*") if path.is_file())
    if not dry_run:
        shutil.rmtree(staging)
    return Removal(staging, size)


def _clean_folder(folder: Path, *, dry_run: bool) -> Removal | None:
    manifest = read_outline(folder)
    sizes = manifest.listed_files
    there = [f for f in sizes if (folder / f).is_file() and not (folder / f).is_symlink()]
    going = [file for file in there if _is_unchanged(folder, file, sizes[file], manifest)]
    kept = tuple(file for file in there if file not in going)
    if not kept:
        # The manifest stays as long as any results do, because it describes them.
        earlier = [path.relative_to(folder).as_posix() for path in history_files(folder)]
        going += [*earlier, *(file for file in (BACKUP_FILE, MANIFEST_FILE) if (folder / file).is_file())]
    if not going:
        return None
    freed = sum((folder / file).stat().st_size for file in going)
    if not dry_run:
        for file in going:
            remove_file(folder, file)
        if not any(folder.iterdir()):
            folder.rmdir()
    return Removal(folder, freed, kept)


def _remove_empty_parents(path: Path, output_dir: Path) -> None:
    """Remove the folders between `output_dir` and the removed `path` that hold nothing any more ("2024/may")."""
    parents = path.relative_to(output_dir).parents
    with contextlib.suppress(OSError):  # not empty: something of somebody's, or of a run that has just begun
        for parent in [output_dir / parent for parent in parents if parent.name]:
            parent.rmdir()


def _is_unchanged(folder: Path, file: str, size: int | None, manifest: ManifestOutline) -> bool:
    """Whether `file` is as the manifest lists it. The timeline is compared by content: an edit may keep its size."""
    if file == TIMELINE_FILE:
        return manifest.timeline is not None and timeline_sha256(folder) == manifest.timeline.sha256
    return (folder / file).stat().st_size == size


def _log(output_dir: Path, removed: list[Removal]) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    lines = [f"{now}  {item.bytes:>12}  {ascii_safe(str(item.path))}\n" for item in removed]
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        with (output_dir / LOG_FILE).open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
    except OSError as error:
        raise OutputError(f"cannot write {LOG_FILE}: {error.strerror}", path=output_dir) from error
