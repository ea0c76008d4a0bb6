"""Runs networks in batches of at most a fixed size, smaller once GPU memory has run out, and filled up if wanted."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import numpy as np

from core.errors import GPUMemoryError
from core.models.inference.batch_sizes import padded_size
from core.models.inference.nets import Images, Net
from core.types import FloatArray

logger = logging.getLogger(__name__)


class Batched:
    """A network that is run on at most `size` images at a time.

    If GPU memory runs out, the size is halved and the same images are tried again. Later calls use the smaller size.

    Attributes:
        size: images per batch.
    """

    def __init__(
        self, net: Net, size: int, *, name: str = "network", fill: Callable[[Images, int], Images] | None = None
    ) -> None:
        """fill: gives images to which black ones were added up to that number. With it, batches are filled up to one of
        `BATCH_SIZES`, but never beyond `size`: more may not fit into memory. Results are those of the real images.
        """
        self._net = net
        self._fill = fill
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
                parts.append(self._run(images[done : done + tried]))
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

    def _run(self, images: Images) -> tuple[FloatArray, ...]:
        count = len(images)
        if self._fill is not None:
            images = self._fill(images, min(padded_size(count), self.size))
        return tuple(rows[:count] for rows in self._net(images))

    def _shrink(self, size: int) -> None:
        self.size = size
        level = logging.DEBUG if self._was_short else logging.WARNING
        logger.log(level, "GPU memory is low: %s continues with batches of at most %d", self._name, size)
        self._was_short = True
