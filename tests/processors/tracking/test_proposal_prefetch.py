"""Candidates computed before their turn."""

from __future__ import annotations

import threading
from typing import cast

import numpy as np
import pytest

from core.models.face_detector import Candidates, FaceDetector
from core.types import ByteArray, FloatArray
from processors.tracking.detection_schedule import ExpectedSearch
from processors.tracking.proposal_prefetch import ProposalPrefetcher
from tests.material.scripted_faces import RATE, Face, Film, KnownImage, ScriptedDetector, moving, still

SMALLEST = 20.0


class Proposing:
    """Stands in for `FaceDetector`; notes for which frames candidates were wanted."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[tuple[int, float]] = []
        self.threads: set[str] = set()
        self._failure = failure

    def candidates(self, image: ByteArray, min_face_px: float) -> Candidates:
        self.asked.append((int(image[0, 0, 0]), min_face_px))
        self.threads.add(threading.current_thread().name.partition("_")[0])
        if self._failure:
            raise self._failure
        boxes: FloatArray = np.full((1, 4), image[0, 0, 0], np.float32)
        return Candidates(boxes, np.zeros(1, np.int64))


def numbered(frame: int) -> ByteArray:
    return np.full((4, 4, 3), frame, np.uint8)


def expected(detector: Proposing, frame: int, smallest: float = SMALLEST, *, needed: bool = True) -> ExpectedSearch:
    return ExpectedSearch(frame, smallest, cast(FaceDetector, detector), lambda image: needed)


def prefetching(detector: Proposing) -> ProposalPrefetcher:
    return ProposalPrefetcher(cast(FaceDetector, detector))


def taken(prefetcher: ProposalPrefetcher, detector: Proposing, frame: int, smallest: float = SMALLEST) -> float | None:
    """The number of the frame of the candidates that are taken, None if there are none."""
    candidates = prefetcher.take(frame, smallest, cast(FaceDetector, detector))
    return None if candidates is None else float(candidates.boxes[0, 0])


def test_a_search_that_was_expected_has_begun_when_its_turn_comes():
    detector = Proposing()
    with prefetching(detector) as prefetcher:
        prefetcher.expect(expected(detector, 3), expected(detector, 5))
        for frame in range(8):
            prefetcher.offer(frame, KnownImage(numbered(frame)))
        assert [taken(prefetcher, detector, frame) for frame in (3, 5)] == [3, 5]
    assert detector.asked == [(3, SMALLEST), (5, SMALLEST)]
    assert detector.threads == {"proposals"}


def test_wrong_guesses_are_not_used():
    detector = Proposing()
    with prefetching(detector) as prefetcher:
        prefetcher.expect(expected(detector, 1), expected(detector, 2), expected(detector, 3, needed=False))
        for frame in range(5):
            prefetcher.offer(frame, KnownImage(numbered(frame)))
        assert taken(prefetcher, detector, 0) is None
        assert taken(prefetcher, detector, 2, 2 * SMALLEST) is None  # faces of another size
        assert taken(prefetcher, detector, 2) is None  # it was for this turn only
        assert taken(prefetcher, detector, 1) is None  # too late
        assert taken(prefetcher, detector, 3) is None  # nothing had changed there
    assert 3 not in [frame for frame, _ in detector.asked]


def test_what_will_surely_be_searched_is_begun_at_once():
    detector = Proposing()
    with prefetching(detector) as prefetcher:
        prefetcher.expect(expected(detector, 2), expected(detector, 4, 3 * SMALLEST))
        for frame in range(5):
            prefetcher.offer(frame, KnownImage(numbered(frame)))
        for frame in (1, 2, 4):
            prefetcher.start(frame, numbered(frame), SMALLEST)
        assert [taken(prefetcher, detector, frame) for frame in (1, 2, 4)] == [1, 2, 4]
    # Once each, and the one that was foreseen for other faces not at all, if it had not begun.
    assert detector.asked.count((2, SMALLEST)) == 1


def test_another_detectors_candidates_are_not_used():
    whole, quick = Proposing(), Proposing()
    with prefetching(whole) as prefetcher:
        prefetcher.expect(expected(quick, 1), expected(quick, 2))
        for frame in (1, 2):
            prefetcher.offer(frame, KnownImage(numbered(frame)))
        prefetcher.start(3, numbered(3), SMALLEST)
        assert taken(prefetcher, whole, 1) is None
        assert taken(prefetcher, quick, 2) == 2 and taken(prefetcher, whole, 3) == 3
    assert whole.asked == [(3, SMALLEST)] and (2, SMALLEST) in quick.asked


def test_what_is_expected_replaces_what_was():
    detector = Proposing()
    with prefetching(detector) as prefetcher:
        prefetcher.expect(expected(detector, 1))
        prefetcher.expect(expected(detector, 2))
        for frame in (1, 2):
            prefetcher.offer(frame, KnownImage(numbered(frame)))
        assert taken(prefetcher, detector, 1) is None
        assert taken(prefetcher, detector, 2) is not None


def test_its_error_is_raised_where_the_candidates_are_wanted():
    detector = Proposing(MemoryError("no room"))
    with prefetching(detector) as prefetcher:
        prefetcher.expect(expected(detector, 0))
        prefetcher.offer(0, KnownImage(numbered(0)))
        with pytest.raises(MemoryError, match="no room"):
            taken(prefetcher, detector, 0)


def test_what_is_asked_for_beside_a_search_is_done_on_another_thread() -> None:
    def where() -> FloatArray:
        raise MemoryError(threading.current_thread().name)

    with prefetching(Proposing()) as prefetcher:
        wait = prefetcher.beside(where)
        with pytest.raises(MemoryError, match="beside"):
            wait()


class Foreseeing(ProposalPrefetcher):
    """Notes what is expected and what is taken; begins nothing."""

    def __init__(self) -> None:
        super().__init__(cast(FaceDetector, None))
        self.expected: set[tuple[int, float]] = set()
        self.taken: list[tuple[int, float]] = []

    def expect(self, *searches: ExpectedSearch) -> None:
        self.expected |= {(search.tick, search.smallest) for search in searches}

    def take(self, tick: int, smallest: float, detector: FaceDetector) -> None:
        self.taken.append((tick, smallest))


@pytest.mark.parametrize("path", [still(200, 120), moving(40, 120, 1.5)])
def test_the_tracker_foresees_its_searches(path):
    prefetcher = Foreseeing()
    with prefetcher:
        film = Film(Face(path), detector=ScriptedDetector(Face(path)), flickers=1000, candidates=prefetcher)
        film.play(round(6 * RATE))
    # All but the first of the shot, and the last, which the end of the shot asks for.
    assert len(prefetcher.taken) > 8
    assert set(prefetcher.taken[1:-1]) <= prefetcher.expected
