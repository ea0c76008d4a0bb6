"""Finds looks at which a face's appearance changes at once, far more than before and after: perhaps another face.

In a jump cut within one room the picture hardly changes, so no shot ends there, and the tracker goes on with whoever is
in the same place. What motion, noise and poor landmarks change, they change about as much a moment before or after.
Pure.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np

from core.types import ByteArray, FloatArray

MIN_CHANGE = 0.2
"""least change of a look (1 - correlation) that is sudden. Two people who follow each other in one place have 0.24 to
1.0 (36 changes of made films)"""

MIN_CHANGE_IN_PLACE = 0.35
"""... where both images are aligned by the landmarks of the earlier one. 20 changes of made films have 0.43 to 1.02; a
man who looks down, so that his landmarks jump, has 0.23"""

ISOLATION = 1.5
"""least ratio of a sudden change to those of the looks around it. In 25 made films 42 of 46 changes of face have more,
and 17 of one person; with 1.3 it would be 43 and 40, and embedding their faces took 1.5 % of an analysis"""

BEFORE, AFTER = 4, 3
"""looks before and after the change whose changes it is compared with; calm faces are looked at every 0.12 s"""

_MIN_SIDE_PX = 3
"""least width and height of the part of a thumbnail that is compared"""


class SuddenChanges:
    """Follows how much the appearance of one face changes from look to look, in continuous view."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=BEFORE)
        self._open, self._left = 0.0, 0

    def restart(self) -> None:
        """The face was out of view."""
        self._recent.clear()
        self._left = 0

    def note(self, likeness: float, in_place: Callable[[], float] | None = None) -> bool:
        """Take the correlation of a look with the one before; whether the change between them stands out so far.

        in_place: the same with the new image aligned by the landmarks of the look before, asked for if need be: where
        only the landmarks have jumped, the image there is still the same. None: not known.
        """
        change = 1 - likeness
        usual = max(self._recent) if len(self._recent) >= 2 else math.inf
        self._recent.append(change)
        least = max(MIN_CHANGE, ISOLATION * usual)
        is_sudden = change >= least and (in_place is None or 1 - in_place() >= max(least, MIN_CHANGE_IN_PLACE))
        if is_sudden:
            self._open, self._left = change, AFTER
        return is_sudden

    def is_disproved(self, likeness: float) -> bool:
        """Whether a look, not the sudden one itself, changes so much that the last sudden change does not stand out.

        To be asked before `note`. A flash or a hand that passes is followed by a second change like the first.
        """
        if self._left == 0:
            return False
        self._left -= 1
        if (1 - likeness) * ISOLATION <= self._open:
            return False
        self._left = 0
        return True


def frame_of_change(thumbnails: Sequence[ByteArray], box: FloatArray) -> int:
    """Position of the image, not the first, that differs most from the one before around a face.

    thumbnails: at least two, (h, w, 3) uint8 each, Y V U, of consecutive frames. box: (4,), shares of their sides.
    """
    height, width = thumbnails[0].shape[:2]
    left, right = _span(float(box[0]), float(box[2]), width)
    top, bottom = _span(float(box[1]), float(box[3]), height)
    parts = [image[top:bottom, left:right] for image in thumbnails]
    changes = [float(cv2.norm(one, other, cv2.NORM_L1)) for one, other in pairwise(parts)]
    return int(np.argmax(changes)) + 1


def _span(first: float, last: float, size: int) -> tuple[int, int]:
    """The pixels from `first` to `last`, shares of `size`, at least `_MIN_SIDE_PX`."""
    start = min(max(math.floor(first * size), 0), size - _MIN_SIDE_PX)
    return start, min(max(math.ceil(last * size), start + _MIN_SIDE_PX), size)
