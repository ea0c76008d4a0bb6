"""The one rule for the next search, and what follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import pytest

from config import AnalysisSettings
from core.models.face_detector import FaceDetector
from core.models.turned_proposer import TurnedBoxes
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.change_detector import Cells
from processors.tracking.detection_schedule import (
    LOOKAHEAD_FRAMES,
    SMALL_FACE_FACTOR,
    TILTED_INTERVAL_FACTOR,
    DetectionSchedule,
    ExpectedSearch,
    Search,
    SearchDetectors,
    SearchState,
    next_search,
)
from processors.tracking.lazy_image import LazyImage
from processors.tracking.tilted_face_schedule import TiltedFaceSchedule
from processors.tracking.tilted_face_search import TiltedFaceSearch
from processors.tracking.tracker_monitor import INTERVALS_S
from processors.tracking.truncated_face_search import TruncatedFaceSearch
from tests.material.scripted_faces import (
    HEIGHT_PX,
    MIN_FACE_PX,
    PACE,
    WIDTH_PX,
    Face,
    KnownImage,
    ScriptedDetector,
    both_searches,
    detections,
    outside,
    still,
)

_Result = TypeVar("_Result")

STATE = SearchState(now=101, last=100, last_full=90, full_interval=40, newcomer_interval=12, small_next=False)


@pytest.mark.parametrize(
    ("changes", "frame", "search"),
    [
        ({}, 112, Search.NEWCOMERS),
        ({"newcomer_interval": 5}, 105, Search.NEWCOMERS),
        ({"last": 120}, 130, Search.EVERYWHERE),
        ({"last": 118}, 130, Search.EVERYWHERE),  # both at once
        ({"full_interval": 10}, 101, Search.EVERYWHERE),  # overdue, because following has become worse
        ({"newcomer_interval": 5, "now": 109}, 109, Search.NEWCOMERS),  # overdue, because somebody was lost
        ({"newcomer_interval": 5, "now": 130}, 130, Search.EVERYWHERE),
    ],
)
def test_the_next_search(changes: dict[str, Any], frame: int, search: Search) -> None:
    assert next_search(dataclasses.replace(STATE, **changes)) == (frame, search)


def test_the_first_frame_is_searched_everywhere() -> None:
    assert next_search(dataclasses.replace(SearchState(), now=0, full_interval=80)) == (0, Search.EVERYWHERE)


def test_asked_at_every_frame_the_rule_keeps_its_word() -> None:
    state = STATE
    for _ in range(20):
        foreseen = next_search(state)
        for now in range(state.now, foreseen[0] + 1):
            assert next_search(dataclasses.replace(state, now=now)) == foreseen
        state = state.after(*foreseen)


def test_small_faces_are_searched_for_every_second_time_and_everywhere() -> None:
    state, included = STATE, []
    for search in (Search.NEWCOMERS,) * 4 + (Search.EVERYWHERE,) + (Search.NEWCOMERS,) * 2:
        included.append(state.includes_small(search))
        state = state.after(state.now, search)
    assert included == [False, True, False, True, True, True, False]


def test_small_faces_are_included_while_somebody_is_lost() -> None:
    lost = dataclasses.replace(STATE, is_somebody_lost=True)
    assert lost.includes_small(Search.NEWCOMERS)
    assert lost.after(112, Search.NEWCOMERS).includes_small(Search.NEWCOMERS)


class Expecting:
    """A candidate source that only listens. image: what the searches are asked about."""

    def __init__(self, image: LazyImage) -> None:
        self.image = image
        self.expected: list[tuple[int, float, bool]] = []
        self.searches: tuple[ExpectedSearch, ...] = ()

    def expect(self, *searches: ExpectedSearch) -> None:
        self.searches = searches
        self.expected = [(s.tick, s.smallest, s.is_needed(self.image)) for s in searches]

    def take(self, tick: int, smallest: float, detector: FaceDetector) -> None:
        return None

    def beside(self, work: Callable[[], _Result]) -> Callable[[], _Result]:
        return work


def test_what_is_foreseen_is_the_rule_iterated() -> None:
    detector = ScriptedDetector(Face(still(60, 60)))
    image = KnownImage(detector.image(0, 0))
    expecting = Expecting(image)
    settings = AnalysisSettings(search_interval=0.4)
    schedule = DetectionSchedule(both_searches(detector), settings, PACE, MIN_FACE_PX, expecting)
    known = Face(still(60, 60)).box(0)[None]
    assert schedule.due(0, image, known[:0], lost=False) is Search.EVERYWHERE
    schedule.run(0, image, Search.EVERYWHERE, known[:0], lost=False)
    # The image is the same, so no search for newcomers is needed; everywhere is at 80.
    assert expecting.expected == [(10, MIN_FACE_PX, False), (20, SMALL_FACE_FACTOR * MIN_FACE_PX, False)]
    assert expecting.expected[-1][0] >= 10 + LOOKAHEAD_FRAMES
    for frame in range(1, 75):
        assert schedule.due(frame, image, known, lost=False) is Search.NOTHING
    assert (PACE.frames(INTERVALS_S[0][1]), MIN_FACE_PX, True) in expecting.expected


def test_a_new_shot_is_searched_everywhere() -> None:
    detector = ScriptedDetector(Face(still(60, 60)))
    image = KnownImage(detector.image(0, 0))
    schedule = DetectionSchedule(both_searches(detector), AnalysisSettings(), PACE, MIN_FACE_PX)
    known = Face(still(60, 60)).box(0)[None]
    schedule.run(0, image, Search.EVERYWHERE, known, lost=False)
    assert schedule.due(1, image, known, lost=False) is Search.NOTHING
    schedule.start_shot()
    assert schedule.due(1, image, known, lost=False) is Search.EVERYWHERE


class Tilted:
    """Finds a tilted face wherever it is asked."""

    def __init__(self, face: FloatArray) -> None:
        self._face = face
        self.explained: list[FloatArray] = []
        self.ignored: list[bool | None] = []

    def proposals(self, image: ByteArray, min_face_px: float, *, as_it_is: bool) -> TurnedBoxes:
        return TurnedBoxes(self._face[None], np.zeros(1, np.float32))

    def find(
        self, image: ByteArray, boxes: TurnedBoxes, explained: FloatArray, ignore: Callable[[FloatArray], Any] | None
    ) -> Detections:
        self.explained.append(explained)
        self.ignored.append(None if ignore is None else bool(ignore(boxes.boxes)[0]))
        return detections([self._face], 0.95)


@pytest.mark.parametrize(
    ("search", "known", "asked"),
    [(Search.EVERYWHERE, True, True), (Search.NEWCOMERS, True, False), (Search.NEWCOMERS, False, True)],
)
def test_tilted_faces_are_searched_for_with_everything_and_where_nobody_is_known(
    search: Search, *, known: bool, asked: bool
) -> None:
    detector, upright = ScriptedDetector(Face(still(60, 60))), Face(still(60, 60)).box(0)
    tilted = Tilted(Face(still(200, 60)).box(0))
    both = both_searches(detector)
    detectors = SearchDetectors(both.thorough, both.quick, cast(TiltedFaceSearch, tilted))
    schedule = DetectionSchedule(detectors, AnalysisSettings(), PACE, MIN_FACE_PX)
    faces = upright[None] if known else upright[None][:0]
    found = schedule.run(0, KnownImage(detector.image(0, 0)), search, faces, lost=False)
    assert len(tilted.explained) == asked
    assert any(np.array_equal(box, Face(still(200, 60)).box(0)) for box in found.boxes) == asked
    # Those that are found or known upright are not looked for once more.
    assert all((boxes == upright).all() and len(boxes) for boxes in tilted.explained)


def test_tilted_faces_are_searched_for_as_seldom_as_newcomers_can_be_followed_backwards() -> None:
    detector, nobody = ScriptedDetector(), np.zeros((0, 4), np.float32)
    tilted, both = Tilted(Face(still(200, 60)).box(0)), both_searches(detector)
    detectors = SearchDetectors(both.thorough, both.quick, cast(TiltedFaceSearch, tilted))
    settings = AnalysisSettings()
    schedule = DetectionSchedule(detectors, settings, PACE, MIN_FACE_PX)
    again = round(TILTED_INTERVAL_FACTOR * settings.search_interval * PACE.rate)
    image = KnownImage(detector.image(0, 0))
    for tick in (0, again // 2, again):
        schedule.run(tick, image, Search.EVERYWHERE, nobody, lost=False)
    assert len(tilted.explained) == 2
    assert tilted.ignored == [None, True], "what has not changed since the last search is not judged again"
    schedule.run(2 * again, image, Search.EVERYWHERE, nobody, lost=True)
    assert tilted.ignored[2] is None, "a face that was followed and lost may be where it was before"
    schedule.start_shot()
    schedule.run(2 * again + 1, image, Search.EVERYWHERE, nobody, lost=False)
    assert tilted.ignored[3:] == [None], "a new shot is searched at once"


def test_tilted_faces_are_judged_again_where_the_last_search_was_less_thorough() -> None:
    tilted = Tilted(Face(still(200, 60)).box(0))
    schedule = TiltedFaceSchedule(cast(TiltedFaceSearch, tilted), 10)
    image = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    searches = [(24.0, False), (24.0, True), (48.0, False), (24.0, True), (24.0, False)]
    for number, (min_face_px, everywhere) in enumerate(searches):
        finish = schedule.begin(10 * number, image, min_face_px, everywhere=everywhere, is_known=False)
        assert finish is not None
        finish(Cells(KnownImage(image)), np.zeros((0, 4), np.float32), False)
    assert tilted.ignored == [None, None, True, None, True]


class Truncated:
    """Finds one truncated face, and one where it is asked about the whole frame; notes what it was asked."""

    def __init__(self, *found: FloatArray) -> None:
        self._found = detections(list(found), 0.95) if found else Detections.empty()
        self.explained: list[int] = []
        self.filling = 0

    def completed(self, image: ByteArray, found: Detections) -> Detections:
        return found

    def find(self, image: ByteArray, min_face_px: float, explained: FloatArray) -> Detections:
        self.explained.append(len(explained))
        return self._found

    def find_filling(self, image: ByteArray) -> Detections:
        self.filling += 1
        return detections([Face(still(200, 60)).box(0)], 0.95)


@pytest.mark.parametrize(
    ("search", "known", "explained"),
    [(Search.EVERYWHERE, True, [1]), (Search.NEWCOMERS, True, []), (Search.NEWCOMERS, False, [1])],
)
def test_truncated_faces_are_searched_for_along_with_tilted_ones(
    search: Search, *, known: bool, explained: list[int]
) -> None:
    detector, truncated = ScriptedDetector(), Truncated(Face(still(200, 60)).box(0))
    tilted, both = Tilted(Face(still(60, 60)).box(0)), both_searches(detector)
    detectors = SearchDetectors(
        both.thorough, both.quick, cast(TiltedFaceSearch, tilted), cast(TruncatedFaceSearch, truncated)
    )
    schedule = DetectionSchedule(detectors, AnalysisSettings(), PACE, MIN_FACE_PX)
    faces = Face(still(200, 60)).box(0)[None][: int(known)]
    found = schedule.run(0, KnownImage(detector.image(0, 0)), search, faces, lost=False)
    # A search of everything has to confirm the face that is known; the tilted one is explained.
    assert truncated.explained == explained
    assert len(found) == 2 * len(explained)
    assert truncated.filling == 0, "somebody was found or is known"


@pytest.mark.parametrize(("search", "filling"), [(Search.EVERYWHERE, 1), (Search.NEWCOMERS, 0)])
def test_where_nobody_is_found_the_frame_itself_may_be_a_face(search: Search, filling: int) -> None:
    detector, truncated = ScriptedDetector(), Truncated()
    both = both_searches(detector)
    detectors = SearchDetectors(both.thorough, both.quick, truncated=cast(TruncatedFaceSearch, truncated))
    schedule = DetectionSchedule(detectors, AnalysisSettings(), PACE, MIN_FACE_PX)
    nobody = np.zeros((0, 4), np.float32)
    found = schedule.run(0, KnownImage(detector.image(0, 0)), search, nobody, lost=False)
    assert len(found) == truncated.filling == filling


class TwoDetectors:
    """A schedule with a thorough and a quick detector, and images in which something always changes."""

    def __init__(self, *faces: Face, missed: int = 0) -> None:
        """missed: of the faces, so many are not found by the quick detector."""
        self.thorough, self.quick = ScriptedDetector(*faces), ScriptedDetector(*faces[missed:])
        detectors = SearchDetectors(cast(FaceDetector, self.thorough), cast(FaceDetector, self.quick))
        self.expecting = Expecting(KnownImage(np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)))
        self._schedule = DetectionSchedule(detectors, AnalysisSettings(), PACE, MIN_FACE_PX, self.expecting)
        self._frame = 0

    def search(self, search: Search, *, lost: bool = False) -> str:
        """Who searched the next frame for newcomers, or both for everything."""
        image = self.thorough.image(self._frame, 20 + 90 * self._frame % 230)
        self.quick.share(image)
        known = np.zeros((0, 4), np.float32)
        asked = len(self.thorough.searches), len(self.quick.searches)
        self._schedule.run(self._frame, KnownImage(image), search, known, lost=lost)
        self._frame += 1
        is_thorough = len(self.thorough.searches) > asked[0]
        is_quick = len(self.quick.searches) > asked[1]
        return "both" if is_thorough and is_quick else "thorough" if is_thorough else "quick"

    @property
    def foreseen(self) -> set[str]:
        """Who is expected to look out for newcomers."""
        return {
            "quick" if s.detector is cast(FaceDetector, self.quick) else "thorough" for s in self.expecting.searches
        }


def test_the_quick_detector_looks_out_where_it_has_found_all_that_the_thorough_one_found() -> None:
    two = TwoDetectors(Face(still(60, 60)), Face(still(200, 60)))
    assert two.search(Search.EVERYWHERE) == "both"
    assert two.search(Search.NEWCOMERS) == "quick" and two.foreseen == {"quick"}


def test_a_face_that_it_misses_makes_the_thorough_one_look_out() -> None:
    two = TwoDetectors(Face(still(60, 60)), Face(still(200, 60)), missed=1)
    assert two.search(Search.EVERYWHERE) == "both"
    assert two.search(Search.NEWCOMERS) == "thorough" and two.foreseen == {"thorough"}


def test_while_somebody_is_lost_the_thorough_one_looks() -> None:
    two = TwoDetectors(Face(still(60, 60)))
    two.search(Search.EVERYWHERE)
    assert two.search(Search.NEWCOMERS, lost=True) == "thorough"
    assert two.search(Search.NEWCOMERS) == "quick"


def test_without_faces_there_is_nothing_to_compare() -> None:
    two = TwoDetectors(Face(still(60, 60), visible=outside(1, 3)))
    two.search(Search.EVERYWHERE)
    assert two.search(Search.EVERYWHERE) == "thorough"
    assert two.search(Search.NEWCOMERS) == "quick"
    nobody = TwoDetectors()
    assert nobody.search(Search.EVERYWHERE) == nobody.search(Search.NEWCOMERS) == "thorough"
