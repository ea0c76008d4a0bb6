"""Widths and heights of frames: from the words that people give to sides that every encoder takes."""

from __future__ import annotations

import math
import re
from fractions import Fraction

MIN_SIDE_PX, MAX_SIDE_PX = 64, 4096
"""of frames that are encoded; the upper limit is supported by every current H.264 decoder"""
MAX_HEIGHT_PX = 2160
"""4K; more than any enlarged face has detail for"""

_WIDEST = 4


def parse_aspect(text: str) -> Fraction:
    """Width to height of "16:9".

    Raises:
        ValueError: `text` has another form.
    """
    shape = re.fullmatch(r"([1-9]\d{0,4}):([1-9]\d{0,4})", text)
    if shape is None:
        raise ValueError(f"{text!r} is not WIDTH:HEIGHT")
    return Fraction(int(shape[1]), int(shape[2]))


def parse_size(text: str) -> tuple[int, int] | None:
    """Width and height of "640x360", px; None if `text` has another form."""
    numbers = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    return None if numbers is None else (int(numbers[1]), int(numbers[2]))


def size_of_height(height: int, aspect: Fraction) -> tuple[int, int]:
    """Width and height, px, of frames that are `height` px high; the width is even."""
    return 2 * round(height * aspect / 2), height


def nearest_height(height: int, aspect: Fraction) -> int:
    """`height`, px, made even and moved within the limits of both sides."""
    highest = min(MAX_HEIGHT_PX, math.floor(MAX_SIDE_PX / aspect))
    lowest = max(MIN_SIDE_PX, math.ceil(MIN_SIDE_PX / aspect))
    within = min(max(height, lowest + lowest % 2), highest)
    return within - within % 2


def check_shape(width: int, height: int) -> None:
    """Raise ValueError if frames of `width`:`height` are narrower than 1:4 or wider than 4:1."""
    if not Fraction(1, _WIDEST) <= Fraction(width, height) <= _WIDEST:
        raise ValueError(f"{width}:{height} is narrower than 1:{_WIDEST} or wider than {_WIDEST}:1")


def check_sides(width: int, height: int) -> None:
    """Raise ValueError if frames of `width` x `height` px cannot be encoded."""
    for side in (width, height):
        if not MIN_SIDE_PX <= side <= MAX_SIDE_PX or side % 2:
            limits = f"an even number from {MIN_SIDE_PX} to {MAX_SIDE_PX}"
            raise ValueError(f"{width}x{height} px, but each side must be {limits}")
    if height > MAX_HEIGHT_PX:
        raise ValueError(f"{height} px is too high; at most {MAX_HEIGHT_PX} px")
