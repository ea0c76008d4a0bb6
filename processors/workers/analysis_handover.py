"""Analyses on their way from the worker that made them to those that make the clips: files in the output folder.

All nodes see that folder, and with `--no-cache` no other place has an analysis. It is removed with the run.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from core.analysis_file import AnalysisRecord
from core.analysis_store import AnalysisStore
from core.errors import OutputError, VideoProcessingError
from core.types import VideoInfo
from processors.results.staging import remove_tree
from utils.files import PARTIAL_PREFIX

_NO_LIMIT_BYTES = 1 << 62


class AnalysisHandover:
    """A folder of analyses by key; a plain value that can be sent to other machines."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def in_folder(cls, output_dir: Path) -> AnalysisHandover:
        """A new one in `output_dir`; what a killed run leaves of it is removed with its other leftovers."""
        return cls(output_dir / f"{PARTIAL_PREFIX}analyses-{secrets.token_hex(4)}")

    def put(self, record: AnalysisRecord) -> None:
        """Write `record`.

        Raises:
            OutputError: it cannot be written.
        """
        store = self._store
        store.save(record)
        if not store.holds(record.key):
            raise OutputError("its analysis cannot be handed over", path=self._folder, hint="is the disk full?")

    def get(self, key: str, info: VideoInfo) -> AnalysisRecord:
        """The analysis `key` of the video that `info` describes.

        Raises:
            VideoProcessingError: there is none.
        """
        record = self._store.load(key, info)
        if record is None:
            raise VideoProcessingError("its analysis is gone", path=info.path, hint="run again")
        return record

    def drop(self, key: str) -> None:
        """Remove the analysis `key`, if there is one."""
        for entry in self._store.entries():
            if entry.analysis == key:
                self._store.remove(entry)

    def remove(self) -> None:
        """Remove all of it."""
        remove_tree(self._folder)

    @property
    def _store(self) -> AnalysisStore:
        return AnalysisStore(self._folder, _NO_LIMIT_BYTES)
