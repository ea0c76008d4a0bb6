"""Whether one part of the image dissolves to another image while the shot goes on: a tile of a video call, say.

The part is compared as a whole frame is (`gradual_run`, `dissolve_fit`): every frame of a run is a mixture of the first
and the last, with a share that grows from 0 to 1. A head that turns or passes does not fit that, or the blocks of the
first image are found again in the last, or much of what is around it stays. The light may change gradually, too, which
keeps the structure of the image. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from core.types import ByteArray, FloatArray
from processors.shots.block_matching import HEIGHT, WIDTH, mismatch
from processors.shots.dissolve_fit import fit_dissolve
from processors.shots.gradual_run import LEVEL, gradual_run
from processors.shots.gradual_transition import least_mismatch
from processors.shots.local_light import is_other_light

PixelRegion = tuple[int, int, int, int]
"""x1, y1, x2, y2 in px of the small images, x2 and y2 excluded"""

MIN_COVERAGE = 0.5
"""least share of the part that changes. Dissolves between two people in front of the same wall have 0.5 to 0.67, others
0.76 or more"""
_COVERED = 10.0
"""grey levels by which what changes does so, in one channel"""
_NOTHING, _UNCOVERED = (0.0,) * 3, (_COVERED,) * 3

_SIDES = 16, 12
"""the part is compared in images of this width and height, px"""
MAX_IMAGES = 16
"""images of a run that are compared; in a longer one some are left out, which halves the costs"""
MIN_SIDES = 12, 8
"""smallest width and height of the part, px of the small images; in smaller ones every motion is a mixture"""


class LocalDissolve(NamedTuple):
    """Positions of images: the last without the new image, the first with more of it than of the old, and the
    first with hardly anything of the old.
    """

    before: int
    middle: int
    after: int


class LocalImages(Sequence[FloatArray]):
    """One part of several images, (576,) float32 each, made when they are asked for: a few rule out most runs."""

    def __init__(self, images: Sequence[ByteArray], region: PixelRegion, positions: range | None = None) -> None:
        """images: (h, w, 3) uint8 each, Y V U, one size, in order of time. positions: of those that count."""
        x1, y1, x2, y2 = region
        self._place = slice(y1, y2), slice(x1, x2)
        self._region = region
        self._images = images
        self._made: dict[int, FloatArray] = {}
        self.positions = range(len(images)) if positions is None else positions

    def since(self, first: int) -> LocalImages:
        """At most `MAX_IMAGES` of those from position `first` on, the last of them included."""
        end = self.positions[-1]
        stride = math.ceil((end - first + 1) / MAX_IMAGES)
        later = LocalImages(self._images, self._region, range(first + (end - first) % stride, end + 1, stride))
        later._made = self._made  # what either makes serves both
        return later

    def differ(self, position: int) -> bool:
        """Whether so much changes from the image there to the last that a dissolve may lie between them; cheap."""
        first, last = self._images[position][self._place], self._images[self.positions[-1]][self._place]
        same = cv2.inRange(cv2.absdiff(first, last), _NOTHING, _UNCOVERED)
        return bool(cv2.countNonZero(same) <= (1 - MIN_COVERAGE) * same.size)

    def grey(self, number: int) -> FloatArray:
        """(36, 64) float32: the luma of the part, as `block_matching` compares it."""
        luma = np.ascontiguousarray(self._images[self.positions[number]][self._place][..., 0])
        way = cv2.INTER_AREA if luma.shape[1] > WIDTH else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(luma, (WIDTH, HEIGHT), interpolation=way), np.float32)

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, number: int) -> FloatArray:  # type: ignore[override]
        position = self.positions[number]
        if position not in self._made:
            part = cv2.resize(self._images[position][self._place], _SIDES, interpolation=cv2.INTER_AREA)
            self._made[position] = part.ravel().astype(np.float32)
        return self._made[position]


def find_local_dissolve(images: LocalImages) -> LocalDissolve | None:
    """The dissolve from the first to the last image, between two stretches without change; None if there is none."""
    step = (images[-1] - images[0]).reshape(-1, 3)
    if float((np.abs(step).max(1) > _COVERED).mean()) < MIN_COVERAGE:
        return None
    run = gradual_run(images)
    fit = None if run is None else fit_dissolve(run)
    if run is None or fit is None:
        return None
    old, new = images.grey(0), images.grey(-1)
    found = mismatch(old, new)
    if found < least_mismatch(fit) or is_other_light(old, new, found):
        return None
    before = max(int(np.argmax(run.shares > LEVEL)) - 1, 0)
    return LocalDissolve(*(images.positions[number] for number in (before, fit.middle, fit.settled)))
