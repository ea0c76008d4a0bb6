"""contact.jpg: a person's clips at a glance, as tiles labelled with their time in the video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from core.media.thumbnails import Thumbnail, evenly_spaced
from core.types import ByteArray, Clip
from processors.clips.clip_thumbnails import MAX_TILES, TILE_HEIGHT_PX
from utils.images.rgb_images import encode_jpeg
from utils.time_formats import clock

CONTACT_FILE = "contact.jpg"

_GAP_PX = 8
_BACKGROUND = 24
_SHEET_WIDTH_PX = 1600
_JPEG_QUALITY = 85

Thumbnails = Mapping[str, Sequence[Thumbnail]]
"""thumbnails of clips by `Clip.file`"""


def contact_sheet(clips: Sequence[Clip], thumbnails: Thumbnails) -> bytes:
    """JPEG with the tiles of one person's `clips` in time order; b"" if there are none."""
    tiles = [(clip.start_s + shot.time_s, shot.pixels) for clip in clips for shot in thumbnails.get(clip.file, ())]
    tiles = sorted((tiles[i] for i in evenly_spaced(len(tiles), MAX_TILES)), key=lambda tile: tile[0])
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
    """Number of columns that makes the sheet landscape, at most `_SHEET_WIDTH_PX` wide, with full rows."""
    most = max(1, (_SHEET_WIDTH_PX - _GAP_PX) // (width + _GAP_PX))
    square = int(np.ceil(np.sqrt(count * 1.6 * TILE_HEIGHT_PX / width)))
    rows = -(-count // max(1, min(count, most, square)))
    return -(-count // rows)


def _labelled(pixels: ByteArray, text: str) -> ByteArray:
    """A copy with `text` (ASCII) on a dark background in the lower left corner."""
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    copy: ByteArray = pixels.copy()
    background = copy[-height - 10 :, : width + 10]
    background[:] = background // 4
    origin = (5, copy.shape[0] - 5)
    cv2.putText(copy, text, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return copy
