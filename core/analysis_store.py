"""Analyses of earlier runs, found by key: analysing is expensive and does not depend on crop or clip settings.

The folder may be used by several processes at once and may be removed at any time. It contains faces and embeddings,
so only its owner can read it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.analysis_file import AnalysisRecord, read_record, read_video_path, write_record
from core.signal_file import read_signal, write_signal
from core.types import FloatArray, VideoInfo
from utils.console.printable_text import ascii_safe
from utils.files import PARTIAL_PREFIX

logger = logging.getLogger(__name__)

ANALYSES_FOLDER = "analyses"
"""of the cache folder"""

_ANALYSIS = re.compile(r"[0-9a-f]{64}\.npz")
_SIGNAL_DIGITS = 16
"""of a signal's key in the name of its file, after the key of its analysis; the file itself states the whole key"""
_ENTRY = re.compile(r"[0-9a-f]{64}(\.[0-9a-f]{16})?(\.signal)?\.npz")
_ABANDONED_S = 86400.0
"""age from which an unfinished file is no longer being written by another process"""


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """One file of the store. used_at: when it was last written or read, seconds since 1970."""

    path: Path
    bytes: int
    used_at: float

    @property
    def is_analysis(self) -> bool:
        """False for a signal that was measured on an analysis later."""
        return _ANALYSIS.fullmatch(self.path.name) is not None

    @property
    def analysis(self) -> str:
        """Key of the analysis, or of the one that the signal was measured on."""
        return self.path.name.partition(".")[0]


class AnalysisStore:
    """A folder of analyses with a limited total size; the least recently used ones are removed first."""

    def __init__(self, cache_dir: Path, limit_bytes: int) -> None:
        """cache_dir: the program's cache folder; it is created when the first analysis is stored."""
        self.folder = cache_dir / ANALYSES_FOLDER
        self.limit_bytes = limit_bytes

    def load(self, key: str, info: VideoInfo) -> AnalysisRecord | None:
        """The analysis stored as `key`, for the video that `info` describes; None if there is no usable one.

        The video of the record is `info` with the frame rate of all frames and the turn of the image that the
        analysis decided on: the file may have been moved or renamed.
        """
        path = self._path(key)
        try:
            record = read_record(path, key)
            from core.media.frame_rate import with_rate_of_all  # needs PyAV, and most uses of a store open no analysis

            video = with_rate_of_all(info.turned(record.analysis.video.turn), record.analysis.frame_pts)
            stored = dataclasses.replace(record.analysis.video, path=info.path, chosen_audio=info.chosen_audio)
            if stored != video:
                raise ValueError("the video is decoded differently now")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, MemoryError) as error:
            name = ascii_safe(info.path.name)
            logger.warning("%s: the stored analysis cannot be used, so the video is analysed again: %s", name, error)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return dataclasses.replace(record, analysis=dataclasses.replace(record.analysis, video=video))

    def save(self, record: AnalysisRecord) -> None:
        """Store `record`, then remove what exceeds the limit; the newest always stays.

        If the cache cannot be written, a warning is logged and the run continues.
        """
        self._save(self._path(record.key), lambda path: write_record(path, record), "the analysis")

    def holds(self, key: str) -> bool:
        """Whether there is an analysis `key`."""
        return self._path(key).is_file()

    def load_signal(self, key: str, record: AnalysisRecord) -> dict[int, FloatArray] | None:
        """The signal stored as `key` for `record`, (T,) by tracklet id; None where there is none that can be used."""
        path = self._signal_path(key, record.key)
        try:
            columns = read_signal(path, key, record.analysis)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, MemoryError) as error:
            logger.warning("a stored signal cannot be used and is measured again: %s", error)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return columns

    def save_signal(self, key: str, analysis: str, columns: Mapping[int, FloatArray]) -> None:
        """Store a signal; like `save`, it logs a warning if that fails.

        key, analysis: its key and that of its analysis. columns: (T,) float32 by tracklet id.
        """
        self._save(self._signal_path(key, analysis), lambda path: write_signal(path, key, columns), "the signal")

    def _save(self, path: Path, write: Callable[[Path], None], what: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write(path)
        except OSError as error:
            logger.warning("%s cannot be stored in %s: %s", what, self.folder, error.strerror or error)
            return
        self._shrink(path)

    def video_path(self, key: str) -> Path | None:
        """Path of the video of the analysis `key` when it was analysed; None without a readable entry."""
        try:
            return read_video_path(self._path(key))
        except (OSError, ValueError, MemoryError):
            return None

    def entries(self) -> list[StoreEntry]:
        """All stored analyses, most recently used first."""
        found = [entry for path in self._files() if _ENTRY.fullmatch(path.name) and (entry := _entry(path))]
        return sorted(found, key=lambda entry: (-entry.used_at, entry.path.name))

    def remove(self, entry: StoreEntry) -> bool:
        """Remove `entry`; False if that fails. A process that is reading it is not affected."""
        try:
            entry.path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s cannot be removed: %s", entry.path, error.strerror)
            return False
        return True

    def remove_unused(self, unused_s: float) -> list[StoreEntry]:
        """Remove what was neither written nor read for `unused_s` seconds; returns what was removed."""
        before = time.time() - unused_s
        return [entry for entry in self.entries() if entry.used_at <= before and self.remove(entry)]

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npz"

    def _signal_path(self, key: str, analysis: str) -> Path:
        return self.folder / f"{analysis}.{key[:_SIGNAL_DIGITS]}.signal.npz"

    def _files(self) -> Iterator[Path]:
        with contextlib.suppress(OSError):
            yield from self.folder.iterdir()

    def _shrink(self, newest: Path) -> None:
        total = 0
        for entry in self.entries():
            total += entry.bytes
            if total > self.limit_bytes and entry.path != newest:
                logger.debug("over the limit of the cache: %s", entry.path)
                self.remove(entry)
        for path in self._files():
            leftover = _entry(path) if path.name.startswith(PARTIAL_PREFIX) else None
            if leftover is not None and leftover.used_at < time.time() - _ABANDONED_S:
                self.remove(leftover)


def _entry(path: Path) -> StoreEntry | None:
    try:
        stat = path.lstat()
    except OSError:  # another process has just removed it
        return None
    return StoreEntry(path, stat.st_size, stat.st_mtime)
