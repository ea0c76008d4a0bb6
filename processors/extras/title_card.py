"""The title image of a reel: a face in a circle, a name, a line of facts."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from core.types import ByteArray
from utils.images.rgb_images import decode_jpeg
from utils.images.text_drawing import Color, draw_text, text_mask

_BACKGROUND: Color = (20, 22, 27)
_TEXT_COLOR: Color = (240, 242, 246)
_FACTS_COLOR: Color = (154, 162, 177)
_OVERSAMPLING = 4


def title_card(width: int, height: int, name: str, facts: str, face: bytes) -> ByteArray:
    """The title as (height, width, 3) uint8 RGB. face: JPEG, or b"" for none."""
    card = np.empty((height, width, 3), np.uint8)
    card[:] = _BACKGROUND
    short = min(width, height)
    pixels = decode_jpeg(face)
    top = height // 2 - round(0.08 * short)
    if pixels is not None:
        diameter = round(0.4 * short)
        _paste_circle(card, pixels, width // 2, height // 2 - round(0.14 * short), diameter)
        top = height // 2 + round(0.12 * short)
    top += _write_centred(card, name, top, round(0.085 * short), _TEXT_COLOR)
    _write_centred(card, facts, top + round(0.01 * short), round(0.045 * short), _FACTS_COLOR)
    return card


def _paste_circle(card: ByteArray, pixels: ByteArray, x: int, y: int, diameter: int) -> None:
    """Paste the central square of `pixels` as a disc centred at (x, y)."""
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    square = Image.fromarray(pixels[top : top + side, left : left + side])
    disc = Image.new("L", (diameter * _OVERSAMPLING,) * 2, 0)
    ImageDraw.Draw(disc).ellipse((0, 0, diameter * _OVERSAMPLING - 1, diameter * _OVERSAMPLING - 1), fill=255)
    canvas = Image.fromarray(card)
    corner = (x - diameter // 2, y - diameter // 2)
    canvas.paste(square.resize((diameter, diameter)), corner, disc.resize((diameter, diameter)))
    card[:] = np.asarray(canvas, np.uint8)


def _write_centred(card: ByteArray, text: str, top: int, size_px: int, color: Color) -> int:
    """Write a centred line, smaller if it would be too wide; returns its height, px."""
    widest = round(card.shape[1] * 0.9)
    width = text_mask(text, max(size_px, 1)).shape[1]
    if width > widest:
        size_px = max(1, size_px * widest // width)
    mask = text_mask(text, max(size_px, 1))
    draw_text(card, text, (card.shape[1] - mask.shape[1]) // 2, top, max(size_px, 1), color)
    return int(mask.shape[0])
