"""When and where the detector looks at a picture: as seldom and as little as the result allows."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np

from config import AnalysisSettings
from core.face_detector import FaceDetector
from core.types import ByteArray, Detections, FloatArray
from processors.change_detector import ChangeDetector
from processors.tracker_monitor import TrackerMonitor

LOST_LOOK_OUT = 0.4
"""share of the usual time between two looks while somebody is lost"""

SMALL_FACES = 2.0
"""faces under this many times the smallest size are looked for at every second look-out only: they cost three
quarters of the search"""


class Search(Enum):
    """What a picture is searched for."""

    NOTHING = 0
    NEWCOMERS = 1
    EVERYBODY = 2


class SearchSchedule:
    """Everybody is searched for at the monitor's interval, newcomers at the rate `look_out`.

    The look-out leaves out where somebody is known and where the picture has not changed since it was searched.
    """

    def __init__(
        self, detector: FaceDetector, settings: AnalysisSettings, frame_rate: float, min_face_px: float
    ) -> None:
        self.monitor = TrackerMonitor()
        self.last_look = -(10**9)
        self._detector = detector
        self._min_face_px = min_face_px
        self._look_out = settings.look_out * frame_rate
        self._last_full = -(10**9)
        self._searched, self._searched_small = ChangeDetector(), ChangeDetector()
        self._small_next = True

    def due(
        self, frame: int, picture: Callable[[], ByteArray], known: FloatArray, *, lost: bool, first: bool
    ) -> Search:
        """What to search the picture for.

        known: (N, 4) faces visible until now. lost: somebody was, and is not any more. first: the shot begins.
        """
        if first or frame - self._last_full >= self.monitor.interval:
            return Search.EVERYBODY
        # Whoever was lost has to be found soon: then the tracks on both sides can still be joined.
        if frame - self.last_look < self._look_out * (LOST_LOOK_OUT if lost else 1.0):
            return Search.NOTHING
        if lost or self.has_changed(picture(), known):
            return Search.NEWCOMERS
        # A picture like the one searched last counts as searched.
        self.last_look = frame
        return Search.NOTHING

    def has_changed(self, picture: ByteArray, known: FloatArray) -> bool:
        """Whether the picture differs, away from the faces known, from the one searched last."""
        return self._searched_small.compare(picture).outside(list(known))

    def find(self, frame: int, picture: ByteArray, search: Search, known: FloatArray, *, lost: bool) -> Detections:
        """Search the picture for everybody or for newcomers."""
        small = search is Search.EVERYBODY or self._small_next or lost
        if search is Search.EVERYBODY:
            self._last_full = frame
            found = self._detector.detect([picture], self._min_face_px)[0]
        else:
            smallest = self._min_face_px * (1.0 if small else SMALL_FACES)
            changes = (self._searched_small if small else self._searched).compare(picture)

            def unchanged(boxes: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
                return np.asarray(changes.within(boxes) == 0)

            # Who was followed since the last search and lost may be back where that search saw them.
            ignore = None if lost else unchanged
            found = self._detector.detect([picture], smallest, explained=[known], ignore=ignore)[0]
        if small:
            self._searched_small.remember(picture)
        self._searched.remember(picture)
        self._small_next = search is Search.EVERYBODY or not small
        self.last_look = frame
        return found
