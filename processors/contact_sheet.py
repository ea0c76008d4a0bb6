"""contact.jpg: a person's clips at a glance, as tiles with the time at which they stand in the video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from core.threads import thread_budget
from core.thumbnails import Thumbnail, evenly, read_thumbnails
from core.types import ByteArray, Clip
from utils.helper_threads import each
from utils.pictures import encode_jpeg
from utils.timecodes import clock

CONTACT_FILE = "contact.jpg"

TILE_HEIGHT_PX = 240
_GAP_PX = 8
_BACKGROUND = 24
_SHEET_WIDTH_PX = 1600
MAX_TILES = 60
_TILES_PER_CLIP = 12
_JPEG_QUALITY = 85

Thumbnails = Mapping[str, Sequence[Thumbnail]]
"""pictures of clips by `Clip.file`"""


def clip_thumbnails(
    folder: Path, clips: Sequence[Clip], threads: int = 0
) -> Iterator[tuple[Clip, tuple[Thumbnail, ...]]]:
    """Pictures of each clip, one clip after the other, none for one that cannot be read. folder: the video's.

    Several clips are read at a time: a single video's user waits for this, when nothing else is left to do.
    threads: those of the run, 0: as many as there are CPUs.

    Of a person with many clips there are fewer of each: more than a sheet holds would be read for nothing.
    """
    counts = Counter(clip.person for clip in clips)
    limits = {person: max(1, min(_TILES_PER_CLIP, MAX_TILES // count)) for person, count in counts.items()}

    def read(clip: Clip) -> tuple[Clip, tuple[Thumbnail, ...]]:
        return clip, read_thumbnails(folder / clip.file, TILE_HEIGHT_PX, limits[clip.person])

    return each(read, clips, thread_budget(threads).decode, "thumbnails")


def contact_sheet(clips: Sequence[Clip], thumbnails: Thumbnails) -> bytes:
    """JPEG of the tiles of one person's `clips`, in time order; b"" where there are none."""
    tiles = [(clip.start_s + shot.time_s, shot.pixels) for clip in clips for shot in thumbnails.get(clip.file, ())]
    tiles = sorted((tiles[i] for i in evenly(len(tiles), MAX_TILES)), key=lambda tile: tile[0])
    if not tiles:
        return b""
    width = max(pixels.shape[1] for _, pixels in tiles)
    columns = _columns(len(tiles), width)
    rows = -(-len(tiles) // columns)
    sheet = np.full(
        (rows * (TILE_HEIGHT_PX + _GAP_PX) + _GAP_PX, columns * (width + _GAP_PX) + _GAP_PX, 3), _BACKGROUND, np.uint8
    )
    for number, (time_s, pixels) in enumerate(tiles):
        row, column = divmod(number, columns)
        x, y = _GAP_PX + column * (width + _GAP_PX), _GAP_PX + row * (TILE_HEIGHT_PX + _GAP_PX)
        sheet[y : y + pixels.shape[0], x : x + pixels.shape[1]] = _labelled(pixels, clock(time_s))
    return encode_jpeg(sheet, _JPEG_QUALITY)


def _columns(count: int, width: int) -> int:
    """So many tiles side by side that the sheet is wider than high, no wider than `_SHEET_WIDTH_PX`, and full."""
    most = max(1, (_SHEET_WIDTH_PX - _GAP_PX) // (width + _GAP_PX))
    square = int(np.ceil(np.sqrt(count * 1.6 * TILE_HEIGHT_PX / width)))
    rows = -(-count // max(1, min(count, most, square)))
    return -(-count // rows)


def _labelled(pixels: ByteArray, text: str) -> ByteArray:
    """A copy with `text` (ASCII) on a dark plate in the lower left corner."""
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    copy: ByteArray = pixels.copy()
    plate = copy[-height - 10 :, : width + 10]
    plate[:] = plate // 4
    origin = (5, copy.shape[0] - 5)
    cv2.putText(copy, text, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return copy
