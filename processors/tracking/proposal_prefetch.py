"""The next search begun before its picture's turn: its dearest part knows nothing of tracks.

The tracker is several frames behind the decoder, and says after each search when the next one is due. When that
picture has been decoded its candidates are computed on a thread of their own. A wrong guess costs time only: a
search that was not foreseen computes its candidates itself, and they are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from core.models.face_detector import Candidates, FaceDetector
from core.types import ByteArray
from utils.helper_threads import submit


@dataclass(frozen=True, slots=True)
class ExpectedSearch:
    """A search that comes unless something happens.

    frame: whose picture. smallest: face, px. is_needed: whether the picture will be searched at all; asked on the
    thread that decodes, so a guess too.
    """

    frame: int
    smallest: float
    is_needed: Callable[[ByteArray], bool]


class SearchAhead:
    """Candidates of searches to come; a context manager that ends its thread."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="search ahead")
        self._expected: dict[int, ExpectedSearch] = {}
        self._begun: dict[int, tuple[float, Future[Candidates]]] = {}

    def __enter__(self) -> SearchAhead:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def expect(self, *searches: ExpectedSearch) -> None:
        """These and no others; called by the tracker's thread."""
        self._expected = {search.frame: search for search in searches}

    def offer(self, frame: int, picture: Callable[[], ByteArray]) -> None:
        """A picture has been decoded; called by the thread that decodes, for all of them in order."""
        expected = self._expected.get(frame)
        if expected is None:
            return
        pixels = picture()
        if expected.is_needed(pixels):
            self.begin(frame, pixels, expected.smallest)

    def begin(self, frame: int, pixels: ByteArray, smallest: float) -> None:
        """This picture will be searched for faces from `smallest` px on; called by the thread that decodes."""
        foreseen, future = self._begun.get(frame, (0.0, None))
        if future is not None:
            if foreseen == smallest:
                return
            future.cancel()
        self._begun[frame] = smallest, submit(self._pool, self._detector.candidates, pixels, smallest)

    def take(self, frame: int, smallest: float) -> Candidates | None:
        """What was begun for this search, None where nothing was; called by the tracker's thread.

        Raises:
            What computing the candidates raised.
        """
        # The other thread may add one meanwhile.
        for earlier in [number for number in tuple(self._begun) if number < frame]:
            self._begun.pop(earlier)[1].cancel()
        foreseen, future = self._begun.pop(frame, (0.0, None))
        return future.result() if future is not None and foreseen == smallest else None
