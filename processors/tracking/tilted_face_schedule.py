"""When and where tilted faces are searched for: seldom, and not where nothing has changed since."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.models.turned_proposer import TurnedBoxes
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.change_detector import Cells, ChangeDetector
from processors.tracking.tilted_face_search import TiltedFaceSearch

Proposing = Callable[[], TurnedBoxes]


class TiltedFaceSchedule:
    """At most one search for tilted faces in each interval of a shot."""

    def __init__(
        self, search: TiltedFaceSearch, interval: float, beside: Callable[[Proposing], Proposing] | None = None
    ) -> None:
        """interval: ticks. beside: begins to propose on another thread, and gives what waits for the proposals."""
        self._search = search
        self._interval = interval
        self._beside = beside
        self.start_shot()

    def start_shot(self) -> None:
        """The next frame may be searched, whatever was searched before."""
        self._last: int | None = None
        self._reference = ChangeDetector()
        self._searched_px, self._searched_as_it_is = math.inf, False

    def begin(
        self, tick: int, pixels: ByteArray, min_face_px: float, *, everywhere: bool, is_known: bool
    ) -> Callable[[Cells, FloatArray, bool], Detections] | None:
        """Begin a search of the image, (h, w, 3) uint8 RGB; None if none is due.

        Where somebody is known it waits for a search of everything.

        What is returned ends it. It is given the image's cells, boxes (K, 4) of the other faces, and whether somebody
        is lost: a face that was followed since the last search may be back where it was seen then.
        """
        is_early = self._last is not None and tick - self._last < self._interval
        if is_early or (is_known and not everywhere):
            return None
        self._last = tick
        # After a search of everything the quick detector is tried on this image, which YuNet then sees anyway.
        proposals = partial(self._search.proposals, pixels, min_face_px, as_it_is=everywhere)
        # While another thread looks for proposals, the caller looks for the upright faces.
        wait = proposals if self._beside is None else self._beside(proposals)

        was_as_thorough = self._searched_px <= min_face_px and (self._searched_as_it_is or not everywhere)
        self._searched_px, self._searched_as_it_is = min_face_px, everywhere

        def finish(cells: Cells, explained: FloatArray, is_lost: bool) -> Detections:
            changes = self._reference.compare(cells)
            self._reference.remember(cells)

            def unchanged(boxes: FloatArray) -> NDArray[np.bool_]:
                return np.asarray(changes.within(boxes) == 0)

            return self._search.find(pixels, wait(), explained, unchanged if was_as_thorough and not is_lost else None)

        return finish
