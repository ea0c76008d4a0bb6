"""The one decode pass over a video: shots, faces, tracks and embeddings.

One thread decodes, scales and finds cuts (the producer), the caller's thread detects and follows (the
consumer), a third measures the faces and embeds those of tracks that have ended, a fourth begins the next
search while the faces are still followed. Queues between them are bounded.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
from array import array
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from config import AnalysisSettings, Settings
from core.errors import InterruptedRunError
from core.media.frame_rate import with_rate_of_all
from core.media.video_frame import VideoFrame
from core.media.video_reader import VideoReader
from core.model_manager import ModelManager
from core.thread_budget import thread_budget
from core.types import FaceAnalysis, Tracklet, VideoInfo
from processors.faces.analysis_frame import AnalysisPicture, thumbnail
from processors.faces.face_observer import FaceObserver
from processors.faces.tracklet_maker import cut_at_shots
from processors.shots.shot_detector import MAX_CUT_DELAY, ShotDetector
from processors.tracking.box_trackers import make_follower
from processors.tracking.face_tracker import FaceTracker, Look
from processors.tracking.proposal_prefetch import SearchAhead
from utils.malloc_tuning import MemoryReturn
from utils.prefetch import prefetch
from utils.stage_monitor import StageMonitor
from utils.stage_times import timed

logger = logging.getLogger(__name__)

SMALLEST_FACE_PX = 24
"""height at which the smallest face wanted is analysed; the last networks see no more at less"""

DETECTION_MARGIN = 0.9
"""faces are looked for down to this share of the smallest size wanted: sizes are estimates"""

SMALLEST_SEARCHED_PX = 10
"""smaller ones are never looked for: the search would enlarge pictures that are very low, by any factor"""

QUEUE_FRAMES = 8
QUEUE_PX = 2**26
"""of all pictures in the queue together: of very large ones fewer wait"""


class FaceAnalyzer:
    """Finds the faces of a video and follows them through its shots."""

    def __init__(self, settings: Settings, models: ModelManager, monitor: StageMonitor | None = None) -> None:
        self._settings = settings.analysis
        self._threads = thread_budget(settings.run.threads)
        self._models = models
        self._monitor = monitor or StageMonitor()

    def analyze(self, info: VideoInfo) -> FaceAnalysis:
        """Decode `info` once from beginning to end.

        Raises:
            DecodeError: not one picture can be decoded.
            ModelError: a model cannot be had.
            InterruptedRunError: the monitor's stop was set.
        """
        with (
            VideoReader(info, threads=self._threads.decode) as reader,
            _Pass(info, self._settings, self._models, self._monitor) as single_pass,
        ):
            ahead = max(1, min(QUEUE_FRAMES, QUEUE_PX // (info.width * info.height)))
            return_memory = MemoryReturn()
            with prefetch(single_pass.pictures(reader), ahead, self._monitor.stop) as pictures:
                for frame, picture, cuts in pictures:
                    return_memory()
                    single_pass.take(frame, picture, cuts)
                    self._monitor.update("analyse", frame.index + 1, max(info.frame_count, frame.index + 1))
            return single_pass.result(reader)


class _Pass:
    """State of one decode pass."""

    def __init__(
        self,
        info: VideoInfo,
        settings: AnalysisSettings,
        models: ModelManager,
        monitor: StageMonitor,
    ) -> None:
        self._monitor = monitor
        self._info = info
        self._models = models
        self.width, self.height = analysis_size(info.width, info.height, settings.min_face)
        scale = np.array([info.width / self.width, info.height / self.height], np.float32)
        rate = float(info.frame_rate)
        self._shots = ShotDetector(rate)
        self._cuts: deque[int] = deque()
        self._pending: deque[tuple[VideoFrame, AnalysisPicture]] = deque()
        self._last: tuple[VideoFrame, AnalysisPicture] | None = None
        self._calm = False
        self._pts = array("q")
        self._smallest = max(DETECTION_MARGIN * settings.min_face * self.height, SMALLEST_SEARCHED_PX)
        self._observer = FaceObserver(models, settings, scale, rate, self._check_stop)
        # Where the networks are on a GPU one thread has it.
        self._ahead = SearchAhead(models.detector) if models.device == "cpu" else None
        self._tracker = FaceTracker(
            models.detector,
            make_follower(settings.tracker, models.detector),
            settings,
            frame_rate=rate,
            min_face_px=self._smallest,
            on_end=self._observer.end,
            ahead=self._ahead,
        )

    def __enter__(self) -> _Pass:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._observer)
            if self._ahead is not None:
                stack.enter_context(self._ahead)
            self._threads = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.close()

    def pictures(self, reader: VideoReader) -> Iterator[tuple[VideoFrame, AnalysisPicture, list[int]]]:
        """Decoded frames, their analysis pictures and the cuts that each made certain; on the producer's thread."""
        recent: deque[tuple[int, AnalysisPicture]] = deque(maxlen=MAX_CUT_DELAY + 1)
        for frame in reader.frames():
            picture = AnalysisPicture(frame, self.width, self.height)
            recent.append((frame.index, picture))
            # A guess from the other thread's state: wrong ones cost time, not results.
            if not self._calm:
                picture()
            if self._ahead is not None:
                self._ahead.offer(frame.index, picture)
            small = thumbnail(frame)
            with timed("cuts"):
                boundaries = self._shots.update(small)
            cuts = [b.frame for b in boundaries if b.transition == "cut"]
            if self._ahead is not None:
                # The first picture of a shot is searched in any case; the tracker is still further back.
                for index, first in recent:
                    if index in cuts or index == frame.index == 0:
                        self._ahead.begin(index, first(), self._smallest)
            yield frame, picture, cuts

    def take(self, frame: VideoFrame, picture: AnalysisPicture, cuts: Sequence[int]) -> None:
        """Consume one frame. Tracking lags behind by the shot detector's delay."""
        self._pts.append(frame.pts)
        self._cuts.extend(cuts)
        self._pending.append((frame, picture))
        if len(self._pending) > MAX_CUT_DELAY:
            self._track(*self._pending.popleft())

    def result(self, reader: VideoReader) -> FaceAnalysis:
        """Finish what is pending and put everything together; `reader`, which the pictures came from, is at its end."""
        self._check_stop()
        self._cuts.extend(b.frame for b in self._shots.finish() if b.transition == "cut")
        while self._pending:
            self._track(*self._pending.popleft())
        self._end_shot()
        self._observer.finish()
        shots = self._shots.shots(len(self._pts))
        pieces = [piece for tracklet in self._observer.tracklets for piece in cut_at_shots(tracklet, shots)]
        frame_pts = np.array(self._pts, np.int64)
        video = with_rate_of_all(self._info, frame_pts)
        return FaceAnalysis(
            video=dataclasses.replace(video, has_repaired_times=reader.repaired_pts > 0),
            frame_pts=frame_pts,
            shots=shots,
            tracklets=numbered(pieces),
            embedder=self._models.embedder.name,
            decode_failures=reader.decode_failures,
            statistics={**self._tracker.statistics, **reader.statistics},
            clock_shifts=tuple(reader.clock_shifts),
        )

    def _track(self, frame: VideoFrame, picture: AnalysisPicture) -> None:
        if self._cuts and self._cuts[0] <= frame.index:
            self._cuts.popleft()
            self._end_shot()
        with timed("track"):
            look = self._tracker.update(frame.index, picture)
        self._calm = look is Look.SKIPPED or self._tracker.is_calm
        if look is not Look.SKIPPED:
            self._observer.look(frame, picture(), self._tracker.visible, sample=look is Look.SEARCHED)
        self._last = frame, picture

    def _end_shot(self) -> None:
        if self._last is not None and self._tracker.look_again():
            frame, picture = self._last
            self._observer.look(frame, picture(), self._tracker.visible, sample=True)
        self._tracker.end_shot()

    def _check_stop(self) -> None:
        if self._monitor.stop.is_set():
            raise InterruptedRunError("stopped", path=self._info.path, stage="analyse")


def analysis_size(width: int, height: int, min_face: float) -> tuple[int, int]:
    """Size at which a picture is analysed: the smallest face wanted is 24 px high; never enlarged."""
    scale = min(1.0, SMALLEST_FACE_PX / (min_face * height))
    return max(16, min(2 * math.ceil(width * scale / 2), width)), max(16, round(height * scale))


def numbered(tracklets: list[Tracklet]) -> tuple[Tracklet, ...]:
    """Tracklets in order of appearance (from left to right within a frame), ids counting from 0."""
    ordered = sorted(tracklets, key=lambda t: (t.start, float(t.boxes[0, 0]), t.end))
    return tuple(dataclasses.replace(t, id=i) for i, t in enumerate(ordered))
