"""A frame as the shot detector compares it: shrunk, without black bars, with its change since the frame before."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.types import ByteArray, FloatArray
from processors.shots.black_bars import Bars
from processors.shots.block_matching import HEIGHT, WIDTH

_THIRDS = np.full(3, 1 / 3, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class SmallFrame:
    """A frame without black bars, shrunk.

    half: (72, 128, 3) uint8 RGB, source of the other arrays, bars included. bars: those of `half`, None if it is all
    black. colour: (36, 64, 3) uint8 RGB. grey: (36, 64) float32. mixture: (1728,) float32, 32x18 RGB.
    changes: (48,) float32, mean change since the frame before in each cell of 8x6 px, grey levels. change: their mean.
    contrast: standard deviation of `grey`, grey levels.
    """

    index: int
    half: ByteArray
    bars: Bars | None
    colour: ByteArray
    grey: FloatArray
    mixture: FloatArray
    changes: FloatArray
    change: float
    contrast: float


def small_frame(
    index: int, half: ByteArray, bars: Bars | None, left_out: Bars, before: SmallFrame | None
) -> SmallFrame:
    """The small version of `half`, (72, 128, 3) uint8 RGB.

    bars: those of `half`. left_out: bars that are cut off before it is shrunk. before: the previous frame; None for the
    first.
    """
    top, bottom, left, right = left_out
    inner = half[top : 2 * HEIGHT - bottom, left : 2 * WIDTH - right]
    colour = np.asarray(cv2.resize(inner, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    difference = cv2.absdiff(colour, colour if before is None else before.colour).astype(np.float32)
    changes = cv2.resize(difference, (8, 6), interpolation=cv2.INTER_AREA).reshape(-1, 3) @ _THIRDS
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mixture = cv2.resize(colour, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA).ravel().astype(np.float32)
    change = float(changes.sum()) / changes.size
    return SmallFrame(index, half, bars, colour, grey, mixture, changes, change, float(grey.std()))
