"""Runs networks in batches of at most a fixed size, smaller once GPU memory has run out."""

from __future__ import annotations

import logging
import math

import numpy as np

from core.errors import GPUMemoryError
from core.models.nets import Images, Net
from core.types import FloatArray

logger = logging.getLogger(__name__)


class Batched:
    """A network that is run on at most `size` images at a time.

    If GPU memory runs out, the size is halved and the same images are tried again. Later calls use the smaller size.

    Attributes:
        size: images per batch.
    """

    def __init__(self, net: Net, size: int, *, name: str = "network") -> None:
        self._net = net
        self._name = name
        self._was_short = False
        self.size = size

    def __call__(self, images: Images) -> tuple[FloatArray, ...]:
        """Like the call of the network itself.

        Raises:
            GPUMemoryError: not even one image fits.
        """
        parts: list[tuple[FloatArray, ...]] = []
        done = 0
        while True:
            left = len(images) - done
            # Equal parts: one image left over would be a batch of one, which networks compute in another way.
            tried = math.ceil(left / max(1, math.ceil(left / self.size)))
            try:
                parts.append(self._net(images[done : done + tried]))
            except GPUMemoryError:
                if tried <= 1:
                    raise
                self._shrink(tried // 2)
                # Retried outside of this block, because the error keeps the memory of the failed call alive.
                continue
            done += tried
            if done >= len(images):
                break
        return parts[0] if len(parts) == 1 else tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))

    def _shrink(self, size: int) -> None:
        self.size = size
        level = logging.DEBUG if self._was_short else logging.WARNING
        logger.log(level, "GPU memory is low: %s continues with batches of at most %d", self._name, size)
        self._was_short = True
