"""Text as coverage masks, for drawing on pictures in any colour."""

from __future__ import annotations

import functools
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, features

from utils.fonts import Source, load_font, pieces_by_font

Mask = NDArray[np.uint8]
Picture = NDArray[np.uint8]
Color = tuple[int, int, int]


def can_write(text: str) -> bool:
    """Whether some font on this machine has every letter of `text`."""
    return text.isprintable() and pieces_by_font(text) is not None


def plain_letters(text: str) -> str:
    """`text` without the marks that letters may carry: "José" becomes "Jose"."""
    parts = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


@functools.lru_cache(maxsize=512)
def text_mask(text: str, size_px: int) -> Mask:
    """(h, w) uint8, 255 where a letter covers the pixel; all texts of a size are equally high.

    ASCII is written in the font that comes with Pillow, so that it is the same everywhere; for what that lacks
    a font of the machine is taken. What no font has (see `can_write`) shows as boxes.
    """
    parts = [_piece_mask(piece, source, size_px) for piece, source in pieces_by_font(text) or ((text, None),)]
    mask = np.concatenate(parts or [np.zeros((round(size_px * 1.25), 1), np.uint8)], axis=1)
    mask.flags.writeable = False
    return mask


def draw_text(picture: Picture, text: str, x: int, y: int, size_px: int, ink: Color) -> None:
    """Write `text` into `picture`, (H, W, 3) uint8, its upper left corner at (x, y); what is outside is cut off."""
    mask = text_mask(text, size_px)
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + mask.shape[1], picture.shape[1]), min(y + mask.shape[0], picture.shape[0])
    if right <= left or bottom <= top:
        return
    share = mask[top - y : bottom - y, left - x : right - x, None].astype(np.uint16)
    region = picture[top:bottom, left:right]
    region[:] = ((region * (255 - share) + np.array(ink, np.uint16) * share + 127) // 255).astype(np.uint8)


def _piece_mask(text: str, source: Source, size_px: int) -> Mask:
    font = load_font(source, size_px)
    # Words that run from right to left must not turn a whole label round.
    order: dict[str, Any] = {"direction": "ltr"} if source is not None and features.check_feature("raqm") else {}
    width = max(1, round(font.getlength(text, **order)))
    canvas = Image.new("L", (width, round(size_px * 1.25)), 0)
    ImageDraw.Draw(canvas).text((0, size_px), text, fill=255, font=font, anchor="ls", **order)
    return np.array(canvas, np.uint8)
