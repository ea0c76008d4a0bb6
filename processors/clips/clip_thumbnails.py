"""Thumbnails of clips for contact sheets and the report, read while other clips are still being made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.media.thumbnails import Thumbnail, read_thumbnails
from core.thread_budget import thread_budget
from core.types import Clip
from utils.processes.helper_threads import map_ordered
from utils.processes.spill_file import Spillable, SpillFile

TILE_HEIGHT_PX = 240
MAX_TILES = 60
"""images on the contact sheet of one person"""

_TILES_PER_CLIP = 12
MAX_BYTES_AHEAD = 32 * 2**20
"""Limit of thumbnails that are kept until they are needed, 194 of 240x240 px, in a file: they would add a tenth to the
memory of a run. The rest is read at the end, several at a time. Each is read once, whatever the limit is."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A thumbnail that waits. shape, pixels: those of `Thumbnail.pixels`."""

    time_s: float
    shape: tuple[int, ...]
    pixels: Spillable

    def thumbnail(self) -> Thumbnail:
        return Thumbnail(self.time_s, np.frombuffer(bytes(self.pixels), np.uint8).reshape(self.shape))


class ClipThumbnails:
    """The thumbnails of each clip, read from its file. They are the same whether they were read ahead or not."""

    def __init__(self, folder: Path, people: Iterable[str], threads: int = 0) -> None:
        """folder: the video's. people: the name of the person of each clip. threads: of the run, 0: one per CPU.

        The more clips a person has, the fewer thumbnails each has, since a contact sheet holds `MAX_TILES`.
        """
        self._folder = folder
        self._threads = thread_budget(threads).decode
        self._limits = {
            person: max(1, min(_TILES_PER_CLIP, MAX_TILES // count)) for person, count in Counter(people).items()
        }
        self._ahead: dict[str, tuple[_Kept, ...]] = {}
        self._file = SpillFile()

    def read_ahead(self, clip: Clip) -> None:
        """Read the thumbnails of a clip whose file is complete, unless too many are kept already; for any thread."""
        # The clip may have been made before, by an encoder that failed later.
        self._ahead.pop(clip.file, None)
        kept = list(self._ahead.values())
        if sum(len(one.pixels) for thumbnails in kept for one in thumbnails) <= MAX_BYTES_AHEAD:
            self._ahead[clip.file] = tuple(
                _Kept(one.time_s, one.pixels.shape, self._file.add(one.pixels.tobytes())) for one in self._read(clip)
            )

    def take(self, clips: Sequence[Clip]) -> Iterator[tuple[Clip, tuple[Thumbnail, ...]]]:
        """Each clip with its thumbnails, in order; none if it cannot be read. Several clips are read at a time."""

        def found(clip: Clip) -> tuple[Clip, tuple[Thumbnail, ...]]:
            kept = self._ahead.pop(clip.file, None)
            return clip, self._read(clip) if kept is None else tuple(one.thumbnail() for one in kept)

        return map_ordered(found, clips, self._threads, "thumbnails")

    def _read(self, clip: Clip) -> tuple[Thumbnail, ...]:
        return read_thumbnails(self._folder / clip.file, TILE_HEIGHT_PX, self._limits[clip.person])
