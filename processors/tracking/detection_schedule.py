"""When and where the detector looks at a picture: as seldom and as little as the result allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum

import numpy as np

from config import AnalysisSettings
from core.models.face_detector import FaceDetector
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.change_detector import Cells, ChangeDetector
from processors.tracking.proposal_prefetch import ExpectedSearch, SearchAhead
from processors.tracking.tracker_monitor import TrackerMonitor

LOST_LOOK_OUT = 0.4
"""share of the usual time between two looks while somebody is lost"""

SMALL_FACES = 2.0
"""faces under this many times the smallest size are looked for at every second look-out only: they cost three
quarters of the search"""

FORESIGHT = 10
"""frames by which pictures are decoded before the tracker comes to them, about"""


class Search(Enum):
    """What a picture is searched for."""

    NOTHING = 0
    NEWCOMERS = 1
    EVERYBODY = 2


class SearchSchedule:
    """Everybody is searched for at the monitor's interval, newcomers at the rate `search_interval`.

    The look-out leaves out where somebody is known and where the picture has not changed since it was searched.
    """

    def __init__(
        self,
        detector: FaceDetector,
        settings: AnalysisSettings,
        frame_rate: float,
        min_face_px: float,
        ahead: SearchAhead | None = None,
    ) -> None:
        """min_face_px: smallest face, px of the pictures. ahead: may begin searches before they are due."""
        self.monitor = TrackerMonitor()
        self.last_look = -(10**9)
        self._detector = detector
        self._ahead = ahead
        self._min_face_px = min_face_px
        self._look_out = settings.search_interval * frame_rate
        self._last_full = -(10**9)
        self._searched, self._searched_small = ChangeDetector(), ChangeDetector()
        self._small_next = True
        self._cells_of: tuple[ByteArray, Cells] | None = None

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
        self._expect_next(known, lost=lost)
        return Search.NOTHING

    def has_changed(self, picture: ByteArray, known: FloatArray) -> bool:
        """Whether the picture differs, away from the faces known, from the one searched last."""
        return self._searched_small.compare(self._cells(picture)).outside(list(known))

    def find(self, frame: int, picture: ByteArray, search: Search, known: FloatArray, *, lost: bool) -> Detections:
        """Search the picture for everybody or for newcomers."""
        small = search is Search.EVERYBODY or self._small_next or lost
        smallest = self._min_face_px * (1.0 if small else SMALL_FACES)
        cells = self._cells(picture)
        begun = self._ahead.take(frame, smallest) if self._ahead else None
        if search is Search.EVERYBODY:
            self._last_full = frame
            found = self._detector.detect([picture], smallest, candidates=begun)[0]
        else:
            changes = (self._searched_small if small else self._searched).compare(cells)

            def unchanged(boxes: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
                return np.asarray(changes.within(boxes) == 0)

            # Who was followed since the last search and lost may be back where that search saw them.
            ignore = None if lost else unchanged
            found = self._detector.detect([picture], smallest, explained=[known], ignore=ignore, candidates=begun)[0]
        if small:
            self._searched_small.remember(cells)
        self._searched.remember(cells)
        self._small_next = search is Search.EVERYBODY or not small
        self.last_look = frame
        self._expect_next(known, lost=lost)
        return found

    def _expect_next(self, known: FloatArray, *, lost: bool) -> None:
        """Tell `ahead` which searches come next if all goes on as it is."""
        if self._ahead is None:
            return
        searched = self._searched_small

        def has_changed(picture: ByteArray) -> bool:
            return lost or searched.compare(Cells(picture)).outside(list(known))

        step = math.ceil(self._look_out * (LOST_LOOK_OUT if lost else 1.0))
        frame, full, small = self.last_look, self._last_full + self.monitor.interval, self._small_next
        searches: list[ExpectedSearch] = []
        while frame < self.last_look + step + FORESIGHT:
            frame = min(frame + step, full)
            everybody = frame == full
            smallest = self._min_face_px * (1.0 if small or lost or everybody else SMALL_FACES)
            searches.append(ExpectedSearch(frame, smallest, has_changed if not everybody else _is_due))
            full += self.monitor.interval * everybody
            small = everybody or not (small or lost)
        self._ahead.expect(*searches)

    def _cells(self, picture: ByteArray) -> Cells:
        """Of one picture up to four things are asked."""
        if self._cells_of is None or self._cells_of[0] is not picture:
            self._cells_of = picture, Cells(picture)
        return self._cells_of[1]


def _is_due(picture: ByteArray) -> bool:
    return True
