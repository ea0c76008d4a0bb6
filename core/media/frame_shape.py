"""How large a frame is shown: stored pixels, their aspect and the turn in, a rectangle of square pixels out."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from av.video.stream import VideoStream

_MAX_STRETCH = 4
"""pixels more than this times as wide as high (or as high as wide) are an error of the header"""
_SAME_SHAPE = 0.02
"""bars of less than this share of the frame are not worth it: the stretch that avoids them is invisible"""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a frame lies inside another one, px; all even, because chroma samples cover two by two pixels."""

    width: int
    height: int
    left: int
    top: int


def sane_aspect(*told: Fraction | None) -> Fraction:
    """Width of a stored pixel divided by its height: the first of `told` that is neither missing nor absurd, or 1."""
    return next(
        (aspect for aspect in told if aspect and Fraction(1, _MAX_STRETCH) <= aspect <= _MAX_STRETCH), Fraction(1)
    )


def container_aspect(stream: VideoStream) -> Fraction | None:
    """The pixels' aspect that the container tells and the stream does not; None where it has no say of its own.

    stream: before its first frame is decoded.
    """
    told = stream.sample_aspect_ratio
    return told if told and told != stream.codec_context.sample_aspect_ratio else None


def shown_size(width: int, height: int, aspect: Fraction, rotation: int) -> tuple[int, int]:
    """(width, height) in square pixels of a stored frame that is turned by `rotation` degrees for display.

    Nothing is ever made smaller: wide pixels widen the frame, high ones heighten it.
    """
    size = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
    return size[::-1] if rotation in (90, 270) else size


def placed_inside(size: tuple[int, int], canvas: tuple[int, int]) -> Placement | None:
    """The largest place for a frame of `size` in the middle of `canvas`; None where it fills all of it."""
    (width, height), (canvas_width, canvas_height) = size, canvas
    # Integers, so that no rounding depends on the machine.
    if width * canvas_height >= height * canvas_width:
        fitted = canvas_width, canvas_width * height // width
    else:
        fitted = canvas_height * width // height, canvas_height
    if fitted[0] >= (1 - _SAME_SHAPE) * canvas_width and fitted[1] >= (1 - _SAME_SHAPE) * canvas_height:
        return None
    inner_width, inner_height = (max(2, side // 2 * 2) for side in fitted)
    left, top = (canvas_width - inner_width) // 4 * 2, (canvas_height - inner_height) // 4 * 2
    return Placement(inner_width, inner_height, left, top)
