"""When and where the detector searches a frame: as seldom and as little as the result allows.

`next_search` is the only rule. The schedule asks it for the current frame, and iterates it on copies of its state
to foresee the searches that follow. Frames are named by their ticks (see `FrameTicks`), because intervals are times.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from config import AnalysisSettings
from core.models.face_detector import Candidates, FaceDetector
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.change_detector import Cells, ChangeDetector
from processors.tracking.frame_pace import FramePace
from processors.tracking.lazy_image import LazyImage
from processors.tracking.tilted_face_schedule import TiltedFaceSchedule
from processors.tracking.tilted_face_search import TiltedFaceSearch
from processors.tracking.tracker_monitor import TrackerMonitor
from processors.tracking.truncated_face_search import TruncatedFaceSearch
from processors.tracking.unusual_search import UnusualSearch
from utils.images.box_geometry import iou_matrix

LOST_INTERVAL_SHARE = 0.4
"""share of the usual time between two searches for newcomers while a face is lost"""

SMALL_FACE_FACTOR = 2.0
"""faces under this multiple of the smallest size are only included in every second search for newcomers: they
cost three quarters of the search"""

TILTED_INTERVAL_FACTOR = 2.0
"""searches for tilted faces are this multiple of the usual time apart: newcomers are followed backwards as far"""

LOOKAHEAD_FRAMES = 10
"""frames by which the decoder is ahead of the tracker, about"""

SAME_FACE_OVERLAP = 0.5
"""least IoU of one face's boxes by two detectors"""

_NEVER = -(10**9)

_Result = TypeVar("_Result")


class Search(Enum):
    """What a frame is searched for."""

    NOTHING = 0
    NEWCOMERS = 1
    EVERYWHERE = 2


@dataclass(frozen=True, slots=True)
class SearchDetectors:
    """Two detectors whose scores have one scale, or the same one twice.

    thorough: finds most. quick: searches for newcomers where it has found, in the last whole image that was searched,
    all that the thorough one found. tilted: finds the tilted faces. truncated: finds large ones that the frame
    cuts off. None: such faces are not searched for.
    """

    thorough: FaceDetector
    quick: FaceDetector
    tilted: TiltedFaceSearch | None = None
    truncated: TruncatedFaceSearch | None = None


@dataclass(frozen=True, slots=True)
class SearchState:
    """What decides about the next search.

    now: first tick that is not decided about. last: the last one that was searched, or counts as searched.
    last_full: the last one that was searched everywhere. full_interval, newcomer_interval: ticks from one search to
    the next, everywhere or of any kind. small_next: whether the next search includes small faces.
    is_somebody_lost: then every search includes them.
    """

    now: int = _NEVER
    last: int = _NEVER
    last_full: int = _NEVER
    full_interval: int = 1
    newcomer_interval: int = 1
    small_next: bool = True
    is_somebody_lost: bool = False

    def includes_small(self, search: Search) -> bool:
        """Whether a search that happens now includes small faces."""
        return search is Search.EVERYWHERE or self.small_next or self.is_somebody_lost

    def after(self, tick: int, search: Search) -> SearchState:
        """The state after the frame of `tick` was searched."""
        everywhere = search is Search.EVERYWHERE
        return dataclasses.replace(
            self,
            now=tick + 1,
            last=tick,
            last_full=tick if everywhere else self.last_full,
            small_next=everywhere or not self.includes_small(search),
        )


def next_search(state: SearchState) -> tuple[int, Search]:
    """The tick that is searched next if nothing happens until then, and what for.

    Newcomers are only searched for if the image turns out to have changed, or somebody is lost.
    """
    full = state.last_full + state.full_interval
    tick = max(min(full, state.last + state.newcomer_interval), state.now)
    return tick, Search.EVERYWHERE if tick >= full else Search.NEWCOMERS


@dataclass(frozen=True, slots=True)
class ExpectedSearch:
    """A search that happens unless the state changes before.

    smallest: face height, analysis px. detector: what searches. is_needed: whether the image will be searched at all.
    It is called on the decoder's thread with what the tracker knew earlier, so its answer is a guess, too.
    """

    tick: int
    smallest: float
    detector: FaceDetector
    is_needed: Callable[[LazyImage], bool]


class CandidateSource(Protocol):
    """May compute the candidates of a search before its turn."""

    def expect(self, *searches: ExpectedSearch) -> None:
        """These are the searches to come; they replace those expected before."""
        ...

    def take(self, tick: int, smallest: float, detector: FaceDetector) -> Candidates | None:
        """Candidates of this search, None if they were not computed."""
        ...

    def beside(self, work: Callable[[], _Result]) -> Callable[[], _Result]:
        """Begin `work` on another thread. What is returned waits for its result, and raises what it raised."""
        ...


class DetectionSchedule:
    """Searches everywhere at the monitor's interval, and for newcomers at the interval `search_interval`.

    A search for newcomers leaves out known faces and what has not changed since it was searched.
    """

    def __init__(
        self,
        detectors: SearchDetectors,
        settings: AnalysisSettings,
        pace: FramePace,
        min_face_px: float,
        candidates: CandidateSource | None = None,
    ) -> None:
        """min_face_px: smallest face searched for, analysis px. candidates: told which searches are expected."""
        self.monitor = TrackerMonitor()
        self._detectors = detectors
        self._candidates = candidates
        self._min_face_px = min_face_px
        self._pace = pace
        self._is_quick_enough = False
        self._search_interval = settings.search_interval * pace.rate
        self._state = SearchState()
        tilted = None
        if detectors.tilted is not None:
            beside = None if candidates is None else candidates.beside
            tilted = TiltedFaceSchedule(detectors.tilted, TILTED_INTERVAL_FACTOR * self._search_interval, beside)
        self._unusual = UnusualSearch(tilted, detectors.truncated)
        self._searched, self._searched_small = ChangeDetector(), ChangeDetector()
        self._latest_cells: tuple[LazyImage, Cells] | None = None

    @property
    def last_search(self) -> int:
        """The last tick that was searched, or counts as searched."""
        return self._state.last

    def start_shot(self) -> None:
        """The next frame is searched everywhere, whatever was searched before."""
        self.monitor.reset()
        self._state = SearchState()
        self._unusual.start_shot()

    def due(self, tick: int, image: LazyImage, known: FloatArray, *, lost: bool) -> Search:
        """What to search this frame for.

        known: (N, 4) faces visible until now. lost: whether a face was visible and is not any more.
        """
        self._observe(tick, lost=lost)
        next_tick, search = next_search(self._state)
        if next_tick > tick:
            return Search.NOTHING
        if search is Search.EVERYWHERE or lost or self.has_changed(image, known):
            return search
        self._state = dataclasses.replace(self._state, last=tick)
        self._announce(known)
        return Search.NOTHING

    def has_changed(self, image: LazyImage, known: FloatArray) -> bool:
        """Whether the image differs, away from the known faces, from the last one that was searched thoroughly."""
        return self._searched_small.compare(self._cells(image)).outside(list(known))

    def run(self, tick: int, image: LazyImage, search: Search, known: FloatArray, *, lost: bool) -> Detections:
        """Search the image. Of newcomers only those are found whose place has changed, unless somebody is lost."""
        self._observe(tick, lost=lost)
        small = self._state.includes_small(search)
        smallest = self._smallest(small)
        pixels, cells = image(), self._cells(image)
        detector = self._detector_for(search)
        everywhere = search is Search.EVERYWHERE
        finish = self._unusual.begin(tick, pixels, smallest, everywhere=everywhere, is_known=len(known) > 0)
        candidates = self._candidates.take(tick, smallest, detector) if self._candidates else None
        if everywhere:
            found = detector.detect([pixels], smallest, candidates=candidates)[0]
        else:
            changes = (self._searched_small if small else self._searched).compare(cells)

            def unchanged(boxes: FloatArray) -> NDArray[np.bool_]:
                return np.asarray(changes.within(boxes) == 0)

            # A face that was followed since the last search, and lost, may be back where that search saw it.
            ignore = None if lost else unchanged
            found = detector.detect([pixels], smallest, explained=[known], ignore=ignore, candidates=candidates)[0]
        upright = found
        found = finish(cells, upright, known, lost)
        if everywhere:
            self._is_quick_enough = self._finds_as_much(upright, pixels, smallest)
        if small:
            self._searched_small.remember(cells)
        self._searched.remember(cells)
        self._state = self._state.after(tick, search)
        self._announce(known)
        return found

    def _observe(self, tick: int, *, lost: bool) -> None:
        """Bring into the state what the tracker knows now."""
        self._state = dataclasses.replace(
            self._state,
            now=tick,
            full_interval=self._pace.frames(self.monitor.interval_s),
            # A lost face has to be found soon: then the tracks before and after the gap can still be joined.
            newcomer_interval=math.ceil(self._search_interval * (LOST_INTERVAL_SHARE if lost else 1.0)),
            is_somebody_lost=lost,
        )

    def _announce(self, known: FloatArray) -> None:
        """Tell the candidate source which searches follow if the state stays as it is."""
        if self._candidates is None:
            return
        reference, lost = self._searched_small, self._state.is_somebody_lost

        def has_changed(image: LazyImage) -> bool:
            return lost or reference.compare(Cells(image)).outside(list(known))

        state = self._state
        horizon = state.last + state.newcomer_interval + LOOKAHEAD_FRAMES
        expected: list[ExpectedSearch] = []
        while state.last < horizon:
            tick, search = next_search(state)
            is_needed = _always if search is Search.EVERYWHERE else has_changed
            smallest = self._smallest(state.includes_small(search))
            expected.append(ExpectedSearch(tick, smallest, self._detector_for(search), is_needed))
            state = state.after(tick, search)
        self._candidates.expect(*expected)

    def _detector_for(self, search: Search) -> FaceDetector:
        # Lost faces are turned, blurred or half hidden: what the quick detector misses first.
        is_quick = search is Search.NEWCOMERS and self._is_quick_enough and not self._state.is_somebody_lost
        return self._detectors.quick if is_quick else self._detectors.thorough

    def _finds_as_much(self, found: Detections, pixels: ByteArray, smallest: float) -> bool:
        """Whether the quick detector finds, in the image that was searched everywhere, the faces of `found`.

        Without faces the last answer stands.
        """
        if self._detectors.quick is self._detectors.thorough or len(found) == 0:
            return self._is_quick_enough
        quick = self._detectors.quick.detect([pixels], smallest)[0]
        return len(quick) > 0 and bool((iou_matrix(found.boxes, quick.boxes).max(1) >= SAME_FACE_OVERLAP).all())

    def _smallest(self, includes_small: bool) -> float:
        return self._min_face_px * (1.0 if includes_small else SMALL_FACE_FACTOR)

    def _cells(self, image: LazyImage) -> Cells:
        """Cached: up to four questions are asked about one image."""
        if self._latest_cells is None or self._latest_cells[0] is not image:
            self._latest_cells = image, Cells(image)
        return self._latest_cells[1]


def _always(image: LazyImage) -> bool:
    return True
