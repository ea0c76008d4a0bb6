"""Text as coverage masks, for drawing on pictures in any colour."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Mask = NDArray[np.uint8]
Picture = NDArray[np.uint8]
Color = tuple[int, int, int]


@functools.lru_cache(maxsize=512)
def text_mask(text: str, size_px: int) -> Mask:
    """(h, w) uint8, 255 where a letter covers the pixel; all texts of a size are equally high.

    The font comes with Pillow, so that it is the same everywhere; it knows Latin letters, others show as boxes.
    """
    font = ImageFont.load_default(size_px)
    width = max(1, round(font.getlength(text)))
    canvas = Image.new("L", (width, round(size_px * 1.25)), 0)
    ImageDraw.Draw(canvas).text((0, size_px), text, fill=255, font=font, anchor="ls")
    mask = np.array(canvas, np.uint8)
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
