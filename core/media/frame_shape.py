"""Display size of a frame, in square pixels, from its stored size, pixel aspect and rotation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from av.video.stream import VideoStream

from core.types import PixelBox

_MAX_STRETCH = 4
"""a pixel aspect beyond this ratio, either way, is an error in the header"""
_SAME_SHAPE = 0.02
"""bars of less than this share of the frame are avoided by stretching it, which is invisible"""


@dataclass(frozen=True, slots=True)
class FramePlacement:
    """Where a frame lies inside a larger one, px; all even, because chroma samples cover 2x2 pixels."""

    width: int
    height: int
    left: int
    top: int

    @property
    def box(self) -> PixelBox:
        return self.left, self.top, self.left + self.width, self.top + self.height


def sane_aspect(*told: Fraction | None) -> Fraction:
    """Width of a stored pixel divided by its height: the first of `told` that is plausible, else 1."""
    return next(
        (aspect for aspect in told if aspect and Fraction(1, _MAX_STRETCH) <= aspect <= _MAX_STRETCH), Fraction(1)
    )


def container_aspect(stream: VideoStream) -> Fraction | None:
    """The pixel aspect in the container if it differs from the one in the stream, else None.

    stream: before its first frame is decoded.
    """
    told = stream.sample_aspect_ratio
    return told if told and told != stream.codec_context.sample_aspect_ratio else None


def shown_size(width: int, height: int, aspect: Fraction, rotation: int) -> tuple[int, int]:
    """(width, height) in square pixels of a stored frame that is rotated by `rotation` degrees for display.

    Neither side shrinks: wide pixels widen the frame, tall ones heighten it.
    """
    size = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
    return size[::-1] if rotation in (90, 270) else size


def placed_inside(size: tuple[int, int], canvas: tuple[int, int]) -> FramePlacement | None:
    """The largest centred placement of a frame of `size` in `canvas`; None if it fills the canvas."""
    (width, height), (canvas_width, canvas_height) = size, canvas
    # Integers, so that rounding does not depend on the machine.
    if width * canvas_height >= height * canvas_width:
        fitted = canvas_width, canvas_width * height // width
    else:
        fitted = canvas_height * width // height, canvas_height
    if fitted[0] >= (1 - _SAME_SHAPE) * canvas_width and fitted[1] >= (1 - _SAME_SHAPE) * canvas_height:
        return None
    inner_width, inner_height = (max(2, side // 2 * 2) for side in fitted)
    left, top = (canvas_width - inner_width) // 4 * 2, (canvas_height - inner_height) // 4 * 2
    return FramePlacement(inner_width, inner_height, left, top)
