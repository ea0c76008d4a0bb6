"""A frame as the tracker sees it: a small grey image at no cost, and pixels that are converted when first used."""

from __future__ import annotations

from typing import Protocol

from core.types import ByteArray


class LazyImage(Protocol):
    """The image of one frame.

    width, height: of the pixels.
    """

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def luma(self) -> ByteArray:
        """(h, w) uint8, a small version of the whole frame: stored luma, area-averaged."""
        ...

    @property
    def waiting_bytes(self) -> int:
        """What is kept to make the pixels from; 0 once they are made."""
        ...

    def __call__(self) -> ByteArray:
        """(height, width, 3) uint8 RGB, C-contiguous; the same array each time."""
        ...
