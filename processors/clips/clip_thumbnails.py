"""Small pictures of a video's clips, for contact sheets and the report, read while other clips are still made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from core.media.thumbnails import Thumbnail, read_thumbnails
from core.thread_budget import thread_budget
from core.types import Clip
from utils.helper_threads import map_ordered

TILE_HEIGHT_PX = 240
MAX_TILES = 60
"""pictures on a person's contact sheet"""

_TILES_PER_CLIP = 12
_MOST_AHEAD_BYTES = 32 * 2**20
"""pixels that are kept until they are wanted; of an hour's clips most are read again at the end"""


class ClipPictures:
    """The pictures of each clip, the same ones whether they were read ahead or not: from its file, both times."""

    def __init__(self, folder: Path, people: Iterable[str], threads: int = 0) -> None:
        """folder: the video's. people: whose the clips are, a name for each clip.

        threads: those of the run, 0: as many as there are CPUs.

        Of a person with many clips there are fewer pictures of each: more than a sheet holds would be read for
        nothing.
        """
        self._folder = folder
        self._threads = thread_budget(threads).decode
        self._limits = {
            person: max(1, min(_TILES_PER_CLIP, MAX_TILES // count)) for person, count in Counter(people).items()
        }
        self._ahead: dict[str, tuple[Thumbnail, ...]] = {}

    def read_ahead(self, clip: Clip) -> None:
        """Read the pictures of a clip whose file has just been completed, if there is room. Any thread may ask."""
        # It may have been made before, by an encoder that failed later.
        self._ahead.pop(clip.file, None)
        kept = list(self._ahead.values())
        if sum(picture.pixels.nbytes for pictures in kept for picture in pictures) <= _MOST_AHEAD_BYTES:
            self._ahead[clip.file] = self._read(clip)

    def take(self, clips: Sequence[Clip]) -> Iterator[tuple[Clip, tuple[Thumbnail, ...]]]:
        """The pictures of one clip after the other, none for one that cannot be read; several are read at a time."""

        def found(clip: Clip) -> tuple[Clip, tuple[Thumbnail, ...]]:
            pictures = self._ahead.pop(clip.file, None)
            return clip, self._read(clip) if pictures is None else pictures

        return map_ordered(found, clips, self._threads, "thumbnails")

    def _read(self, clip: Clip) -> tuple[Thumbnail, ...]:
        return read_thumbnails(self._folder / clip.file, TILE_HEIGHT_PX, self._limits[clip.person])
