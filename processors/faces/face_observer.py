"""The interface of observers, which measure tracked faces, and the threads on which they run beside the tracker."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol

from core.types import FloatArray
from processors.faces.analysis_frame import AnalysisFrame
from processors.faces.tracklet_maker import Findings, MeasuredTrack, measured_track
from processors.tracking.face_stream import FrameFaces
from processors.tracking.frame_pace import FramePace
from processors.tracking.track import Track
from utils.processes.helper_threads import submit

MAX_PENDING = 8
"""calls that may wait for the thread; each frame that waits keeps its pixels"""

MAX_ENDED = 16
"""ended tracks that may wait to be measured; each keeps the pixels of its samples"""

STOP_POLL_S = 0.1


Measurement = Callable[[], Findings | None]
"""What is left to do for a track that has ended: gives what was measured, None if the track surely shows no face."""


class FaceObserver(Protocol):
    """Measures the faces of one video. All calls come from one thread, in the order of the frames.

    Its memory must be bounded, and it must keep no frame.
    """

    def on_faces(self, frame: AnalysisFrame, faces: FrameFaces) -> None:
        """Take the faces visible in `frame`; boxes and landmarks are in analysis pixels.

        Called for the frames that the tracker looked at and that show a face, which are not all frames. The last
        frame of a shot may come twice, the second time with boxes from a detection.
        """
        ...

    def on_gradual_transition(self, middle: int) -> None:
        """Take note that frames from `middle` on show another shot, though tracks go on.

        `middle` lies up to `MAX_GRADUAL_DELAY_S` before the last frame given, that of a fade from a flat image (its
        beginning) somewhat more.
        """
        ...

    def on_track_end(self, track: Track) -> Measurement:
        """Let go of the track; what is returned measures it as a whole.

        That is called once, on another thread, while further calls of the observer come in.
        """
        ...

    def finish(self) -> None:
        """Called once, after the last track has ended."""
        ...


class ObserverThread:
    """Runs observers on a thread, in the order of the calls, so that results do not depend on its pace.

    Tracks that have ended are measured on a second one, in the order in which they ended: at the end of a shot that
    takes a tenth of a second for each person, and the frames of the next shot do not wait for it.

    A context manager that ends its threads.
    """

    def __init__(
        self,
        observers: Sequence[FaceObserver],
        scale: FloatArray,
        pace: FramePace,
        check: Callable[[], None],
        pending: int = MAX_PENDING,
    ) -> None:
        """scale: (2,) source pixels per analysis pixel, x and y. check: called while waiting; may raise to leave.

        pending: calls that may wait for the thread.
        """
        self._observers = observers
        self._scale = scale
        self._pace = pace
        self._check = check
        self._most_pending = pending
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="observe")
        self._pending: deque[Future[None]] = deque()
        self._measuring_pool = ThreadPoolExecutor(1, thread_name_prefix="measure")
        self._measuring: deque[Future[None]] = deque()
        self._tracks: list[MeasuredTrack] = []

    def __enter__(self) -> ObserverThread:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._measuring_pool.shutdown(cancel_futures=True)

    def on_faces(self, frame: AnalysisFrame, faces: FrameFaces) -> None:
        """Hand a frame to the observers; a frame without faces is of no interest to them.

        Raises:
            What an observer raised for an earlier call: ModelError and the like.
        """
        if not faces.faces:
            return
        frame.image()  # converted here: an image must not be converted on two threads at a time
        self._submit(self._observe, frame, faces)

    def on_gradual_transition(self, middle: int) -> None:
        """Tell the observers of a gradual transition; raises like `on_faces`."""
        self._submit(self._note_gradual_transition, middle)

    def on_track_end(self, track: Track) -> None:
        """Measure `track` as a whole, if it shows a face; raises like `on_faces`."""
        self._submit(self._end, track)

    def finish(self) -> list[MeasuredTrack]:
        """Wait until everything is done; the tracks in the order in which they ended. Raises likewise."""
        for observer in self._observers:
            self._submit(observer.finish)
        self._collect(self._pending, 0)
        self._collect(self._measuring, 0)
        return self._tracks

    def _observe(self, frame: AnalysisFrame, faces: FrameFaces) -> None:
        for observer in self._observers:
            observer.on_faces(frame, faces)

    def _note_gradual_transition(self, middle: int) -> None:
        for observer in self._observers:
            observer.on_gradual_transition(middle)

    def _end(self, track: Track) -> None:
        measurements = [observer.on_track_end(track) for observer in self._observers]
        self._measuring.append(submit(self._measuring_pool, self._measure, track, measurements))

    def _measure(self, track: Track, measurements: Sequence[Measurement]) -> None:
        findings = []
        for measurement in measurements:
            found = measurement()
            if found is None:
                return
            findings.append(found)
        self._tracks.append(measured_track(track, self._scale, findings, self._pace))

    def _submit(self, work: Callable[..., None], *arguments: object) -> None:
        self._pending.append(submit(self._pool, work, *arguments))
        self._collect(self._pending, self._most_pending)
        self._collect(self._measuring, MAX_ENDED)

    def _collect(self, pending: deque[Future[None]], leave: int) -> None:
        while len(pending) > leave or (pending and pending[0].done()):
            while not pending[0].done():
                wait([pending[0]], timeout=STOP_POLL_S)
                self._check()
            pending.popleft().result()
