"""`main.py cache info`: what is stored about faces outside the results, for how long, and how to erase it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from core.analysis_store import AnalysisStore, StoreEntry
from utils.console.plurals import count_of
from utils.console.printable_text import ascii_safe

_CONTENTS = (
    "of each video: its path, where each face is in each frame, a small image of each face,",
    "and face embeddings, numbers that tell people apart (biometric data in many jurisdictions)",
)


def cache_lines(
    store: AnalysisStore, gallery: Path | None, output_dir: Path, kept_s: float | None = None
) -> Iterator[str]:
    """What the store and the gallery hold, and how to erase it, for the terminal.

    gallery: its file, which need not exist; None: the settings switch it off. kept_s: how long analyses are kept after
    their last use, seconds; None: no limit.
    """
    entries = store.entries()
    used, limit = sum(entry.bytes for entry in entries), store.limit_bytes
    yield f"folder    {ascii_safe(str(store.folder))}"
    analyses = sum(entry.is_analysis for entry in entries)
    signals = f" and {count_of(len(entries) - analyses, 'signal')}" if len(entries) > analyses else ""
    yield f"analyses  {analyses}{signals}"
    yield f"size      {used / 1e6:.1f} of {limit / 1e6:.0f} MB"
    if entries:
        days = (time.time() - entries[-1].used_at) / 86400
        yield f"oldest    last used {count_of(round(days), 'day')} ago"
    for title, line in zip(("contents", ""), _CONTENTS, strict=True):
        yield f"{title:<8}  {line}"
    yield f"kept      {_kept(kept_s)}"
    yield f"gallery   {_gallery(gallery)}"
    erasing = [
        ("cache clear", "all analyses, whichever output folder they are for"),
        ("clean -o DIR --older-than 0h", "the results in DIR and their analyses"),
        ("forget NAME", "one person: gallery and analyses"),
    ]
    for title, (command, what) in zip(("erase", "", ""), erasing, strict=True):
        yield f"{title:<8}  main.py {command:<28}  {what}"
    if gallery is not None and gallery.is_file():
        yield f"{'':<8}  delete {ascii_safe(gallery.name)} (and -wal, -shm beside it): the whole gallery"
    yield f"results   clips, images of faces, tables of boxes: in {ascii_safe(str(output_dir))} until you remove them"


def clear_cache(store: AnalysisStore) -> list[StoreEntry]:
    """Remove all stored analyses; returns those that were removed."""
    return [entry for entry in store.entries() if store.remove(entry)]


def _kept(kept_s: float | None) -> str:
    if kept_s is None:
        return "until the size limit is reached (least recently used go first); --keep-analyses 30d: for 30 days"
    age = count_of(round(kept_s / 86400), "day") if kept_s >= 86400 else count_of(round(kept_s / 3600), "hour")
    return f"for {age} after their last use, or until the size limit is reached"


def _gallery(path: Path | None) -> str:
    if path is None:
        return "none (--no-gallery)"
    if not path.is_file():
        return f"none yet; it will be {ascii_safe(str(path))}"
    size = path.stat().st_size / 1e6
    return f"{ascii_safe(str(path))} ({size:.1f} MB): names, embeddings and a small image of people's faces"
