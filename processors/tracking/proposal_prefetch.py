"""Computes the candidates of searches before their turn: the most expensive part of a search depends on the image only.

The tracker is several frames behind the decoder, and says after each search when the next ones are due. Once such a
frame has been decoded, its candidates are computed on a thread of their own. A wrong guess costs time, not results:
a search that was not foreseen computes the same candidates itself.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from core.models.face_detector import Candidates, FaceDetector
from core.types import ByteArray
from processors.tracking.detection_schedule import ExpectedSearch
from processors.tracking.lazy_image import LazyImage
from utils.processes.helper_threads import submit

_Result = TypeVar("_Result")


class ProposalPrefetcher:
    """A `CandidateSource`; a context manager that ends its threads."""

    def __init__(self, detector: FaceDetector) -> None:
        """detector: searches the first frames of shots."""
        self._detector = detector
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="proposals")
        self._beside_pool = ThreadPoolExecutor(1, thread_name_prefix="beside")
        self._expected: dict[int, ExpectedSearch] = {}
        self._started: dict[int, tuple[float, FaceDetector, Future[Candidates]]] = {}

    def __enter__(self) -> ProposalPrefetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._beside_pool.shutdown(cancel_futures=True)

    def expect(self, *searches: ExpectedSearch) -> None:
        """Replace the searches that are expected; called on the tracker's thread."""
        self._expected = {search.tick: search for search in searches}

    def offer(self, tick: int, image: LazyImage) -> None:
        """A frame has been decoded; called on the decoder's thread for all frames in order."""
        expected = self._expected.get(tick)
        if expected is None:
            return
        if expected.is_needed(image):
            self._start(tick, image(), expected.smallest, expected.detector)

    def start(self, tick: int, pixels: ByteArray, smallest: float) -> None:
        """Compute the candidates of a frame that will surely be searched everywhere; called on the decoder's thread.

        smallest: face height, px of the image.
        """
        self._start(tick, pixels, smallest, self._detector)

    def take(self, tick: int, smallest: float, detector: FaceDetector) -> Candidates | None:
        """Candidates of this search, None if they were not started; called on the tracker's thread.

        Raises:
            What computing the candidates raised.
        """
        # A copy of the keys, because the decoder's thread may add one meanwhile.
        for earlier in [number for number in tuple(self._started) if number < tick]:
            self._started.pop(earlier)[2].cancel()
        started = self._started.pop(tick, None)
        return started[2].result() if started is not None and started[:2] == (smallest, detector) else None

    def beside(self, work: Callable[[], _Result]) -> Callable[[], _Result]:
        """As `CandidateSource.beside`; on a thread of its own, because the candidates of other frames may wait."""
        return submit(self._beside_pool, work).result

    def _start(self, tick: int, pixels: ByteArray, smallest: float, detector: FaceDetector) -> None:
        started = self._started.get(tick)
        if started is not None:
            if started[:2] == (smallest, detector):
                return
            started[2].cancel()
        self._started[tick] = smallest, detector, submit(self._pool, detector.candidates, pixels, smallest)
