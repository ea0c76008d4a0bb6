"""Whether one part of the image dissolves to another image while the shot goes on: a tile of a video call, say.

The part is compared as a whole frame is (`gradual_run`, `dissolve_fit`): every frame of a run is a mixture of the first
and the last, with a share that grows from 0 to 1. A head that turns or passes does not fit that, or the blocks of the
first image are found again in the last, or much of what is around it stays. The light may change gradually, too, which
keeps the structure of the image. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from core.types import ByteArray, FloatArray
from processors.shots.block_matching import HEIGHT, WIDTH, mismatch
from processors.shots.dissolve_fit import fit_dissolve
from processors.shots.gradual_run import LEVEL, gradual_run
from processors.shots.gradual_transition import MIN_MISMATCH, POOR_FIT, POOR_FIT_MISMATCH
from processors.shots.local_light import is_local_light
from processors.shots.tone_curve import is_change_of_light

PixelRegion = tuple[int, int, int, int]
"""x1, y1, x2, y2 in px of the small images, x2 and y2 excluded"""

MIN_CHANGE = 10.0
"""smallest rms difference of the first and the last image of the part; dissolves from one tile to another have 15 or
more, and most pairs of images half a second apart have less: a cheap first test"""

MIN_COVERAGE = 0.5
"""least share of the part that changes. Dissolves between two people in front of the same wall have 0.5 to 0.67, others
0.76 or more"""
_COVERED = 10.0
"""grey levels by which what changes does so"""

_SIDES = 16, 12
"""the part is compared in images of this width and height, px"""
MIN_SIDES = 5, 4
"""smallest width and height of the part, px of the small images"""


class LocalDissolve(NamedTuple):
    """Positions in a run of images: the last without the new image, the first with more of it than of the old, and the
    first with hardly anything of the old.
    """

    before: int
    middle: int
    after: int


def differs(first: ByteArray, last: ByteArray, region: PixelRegion) -> bool:
    """Whether two images, (h, w, 3) uint8, differ so much in `region` that a dissolve may lie between them."""
    x1, y1, x2, y2 = region
    square = cv2.norm(first[y1:y2, x1:x2], last[y1:y2, x1:x2], cv2.NORM_L2SQR)
    return square >= MIN_CHANGE**2 * 3 * (x2 - x1) * (y2 - y1)


def find_local_dissolve(images: Sequence[ByteArray], region: PixelRegion) -> LocalDissolve | None:
    """The dissolve from the first to the last of `images` in `region`, between two stretches without change.

    images: (h, w, 3) uint8 each, Y V U, one size, in order of time. None if there is no such dissolve.
    """
    run = gradual_run(_Parts(images, region))
    fit = None if run is None else fit_dissolve(run)
    if run is None or fit is None:
        return None
    if float((np.abs(run.step.reshape(-1, 3)).max(1) > _COVERED).mean()) < MIN_COVERAGE:
        return None
    old, new = (_grey(image, region) for image in (images[0], images[-1]))
    found = mismatch(old, new)
    if found < (POOR_FIT_MISMATCH if fit.residual > POOR_FIT else MIN_MISMATCH):
        return None
    if is_change_of_light(old, new, found) or is_local_light(old, new, found):
        return None
    return LocalDissolve(max(int(np.argmax(run.shares > LEVEL)) - 1, 0), fit.middle, fit.settled)


class _Parts(Sequence[FloatArray]):
    """The parts of images, (576,) float32 each, made when they are asked for: two or four rule out most runs."""

    def __init__(self, images: Sequence[ByteArray], region: PixelRegion) -> None:
        self._images = images
        self._region = region
        self._made: dict[int, FloatArray] = {}

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, position: int) -> FloatArray:  # type: ignore[override]
        position = range(len(self._images))[position]
        if position not in self._made:
            x1, y1, x2, y2 = self._region
            part = cv2.resize(self._images[position][y1:y2, x1:x2], _SIDES, interpolation=cv2.INTER_AREA)
            self._made[position] = part.ravel().astype(np.float32)
        return self._made[position]


def _grey(image: ByteArray, region: PixelRegion) -> FloatArray:
    """(36, 64) float32: the luma of the part, as `block_matching` compares it."""
    x1, y1, x2, y2 = region
    luma = np.ascontiguousarray(image[y1:y2, x1:x2, 0])
    way = cv2.INTER_AREA if luma.shape[1] > WIDTH else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, (WIDTH, HEIGHT), interpolation=way), np.float32)
