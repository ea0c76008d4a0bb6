"""Networks in batches of a size that fits: larger as long as it pays, smaller once memory was short."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import numpy as np

from core.errors import GPUMemoryError
from core.models.nets import Images, Net
from core.types import FloatArray

logger = logging.getLogger(__name__)

FIRST_BATCH, LARGEST_BATCH = 16, 4096
WORTHWHILE_GAIN = 1.15
"""a batch of twice the size is worth its memory where it gets through this many times the images a second"""


class Batched:
    """A network that is given at most `size` images at a time.

    Where the GPU's memory is short the size is halved and the same images are tried again, so nothing is lost;
    later calls go on with the smaller size.

    Attributes:
        size: images in a batch.
    """

    def __init__(self, net: Net, size: int, *, name: str = "network") -> None:
        self._net = net
        self._name = name
        self._was_short = False
        self.size = size

    def __call__(self, images: Images) -> tuple[FloatArray, ...]:
        """As the network's own call.

        Raises:
            GPUMemoryError: not even a single image fits.
        """
        parts: list[tuple[FloatArray, ...]] = []
        done = 0
        while True:
            tried = min(self.size, len(images) - done)
            try:
                parts.append(self._net(images[done : done + tried]))
            except GPUMemoryError:
                if tried <= 1:
                    raise
                self._shrink(tried // 2)
                # The next try is outside of this block: the error holds what the failed one has allocated.
                continue
            done += tried
            if done >= len(images):
                break
        return parts[0] if len(parts) == 1 else tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))

    def _shrink(self, size: int) -> None:
        self.size = size
        level = logging.DEBUG if self._was_short else logging.WARNING
        logger.log(level, "GPU memory is short: %s goes on with batches of %d or less", self._name, size)
        self._was_short = True


def find_batch_size(
    run: Callable[[int], object],
    *,
    first: int = FIRST_BATCH,
    largest: int = LARGEST_BATCH,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """The size from which on doubling no longer pays, or does not fit.

    Args:
        run: puts a batch of so many images through the network and waits for the results.
        first, largest: sizes tried are first, 2 * first, ... <= largest.

    Returns:
        The size; half of `first` where even that does not fit (`Batched` goes down from there).
    """
    best, best_rate = max(first // 2, 1), 0.0
    size = first
    while size <= largest:
        try:
            run(size)  # the first call of a shape sets things up
            begin = clock()
            run(size)
            rate = size / max(clock() - begin, 1e-9)
        except GPUMemoryError:
            break
        if rate < best_rate * WORTHWHILE_GAIN:
            break
        best, best_rate = size, rate
        size *= 2
    return best
