"""Text as coverage masks, for drawing on images in any colour."""

from __future__ import annotations

import functools
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, features

from utils.images.fonts import Source, load_font, pieces_by_font

Mask = NDArray[np.uint8]
Pixels = NDArray[np.uint8]
Color = tuple[int, int, int]


def can_write(text: str) -> bool:
    """Whether some font on this machine has every letter of `text`."""
    return text.isprintable() and pieces_by_font(text) is not None


def plain_letters(text: str) -> str:
    """`text` without diacritics: "José" becomes "Jose"."""
    parts = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


@functools.lru_cache(maxsize=512)
def text_mask(text: str, size_px: int) -> Mask:
    """Coverage of the pixels, (h, w) uint8, 255 for full; the height depends on `size_px` only.

    ASCII is written in Pillow's own font, which is the same everywhere; other letters in a font of this machine.
    Letters that no font has (see `can_write`) appear as boxes.
    """
    parts = [_piece_mask(piece, source, size_px) for piece, source in pieces_by_font(text) or ((text, None),)]
    mask = np.concatenate(parts or [np.zeros((round(size_px * 1.25), 1), np.uint8)], axis=1)
    mask.flags.writeable = False
    return mask


def draw_text(image: Pixels, text: str, x: int, y: int, size_px: int, color: Color) -> None:
    """Draw `text` on `image`, (H, W, 3) uint8, with its top left corner at (x, y), clipped to the image."""
    mask = text_mask(text, size_px)
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + mask.shape[1], image.shape[1]), min(y + mask.shape[0], image.shape[0])
    if right <= left or bottom <= top:
        return
    share = mask[top - y : bottom - y, left - x : right - x, None].astype(np.uint16)
    region = image[top:bottom, left:right]
    region[:] = ((region * (255 - share) + np.array(color, np.uint16) * share + 127) // 255).astype(np.uint8)


def _piece_mask(text: str, source: Source, size_px: int) -> Mask:
    font = load_font(source, size_px)
    # Right-to-left words must not reverse a whole label.
    order: dict[str, Any] = {"direction": "ltr"} if source is not None and features.check_feature("raqm") else {}
    width = max(1, round(font.getlength(text, **order)))
    canvas = Image.new("L", (width, round(size_px * 1.25)), 0)
    ImageDraw.Draw(canvas).text((0, size_px), text, fill=255, font=font, anchor="ls", **order)
    return np.array(canvas, np.uint8)
