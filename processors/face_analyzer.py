"""The one decode pass over a video: shots, faces, tracks and embeddings.

One thread decodes and scales (the producer), the caller's thread finds cuts, detects and follows (the
consumer), a third computes embeddings of the tracks that have ended. Queues between them are bounded.
"""

from __future__ import annotations

import contextvars
import dataclasses
import logging
import math
from array import array
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np

from config import AnalysisSettings, Settings
from core.errors import InterruptedRunError
from core.model_manager import ModelManager
from core.threads import thread_budget
from core.types import ByteArray, FaceAnalysis, Tracklet, VideoInfo
from core.video_frame import VideoFrame
from core.video_reader import VideoReader
from processors.analysis_picture import AnalysisPicture, thumbnail
from processors.box_followers import make_follower
from processors.face_sampler import FaceSampler, sharpness
from processors.face_tracker import FaceTracker, Look
from processors.growing_rows import Measurements
from processors.shot_detector import MAX_CUT_DELAY, ShotDetector
from processors.track import Track
from processors.tracklet_maker import TrackletMaker, cut_at_shots
from utils.iterators import prefetch
from utils.progress import StageMonitor
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

STOP_POLL_S = 0.1
PENDING_EMBEDDINGS = 16


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
            ThreadPoolExecutor(1, thread_name_prefix="embed") as pool,
        ):
            single_pass = _Pass(info, self._settings, self._models, pool, self._monitor)
            try:
                ahead = max(1, min(QUEUE_FRAMES, QUEUE_PX // (info.width * info.height)))
                with prefetch(single_pass.pictures(reader), ahead, self._monitor.stop) as pictures:
                    for frame, picture, thumb in pictures:
                        single_pass.take(frame, picture, thumb)
                        self._monitor.update("analyse", frame.index + 1, max(info.frame_count, frame.index + 1))
                return single_pass.result(reader.decode_failures)
            finally:
                pool.shutdown(cancel_futures=True)


class _Pass:
    """State of one decode pass."""

    def __init__(
        self,
        info: VideoInfo,
        settings: AnalysisSettings,
        models: ModelManager,
        pool: ThreadPoolExecutor,
        monitor: StageMonitor,
    ) -> None:
        self._monitor = monitor
        self._info = info
        self._settings = settings
        self._models = models
        self._pool = pool
        self.width, self.height = analysis_size(info.width, info.height, settings.min_face)
        self._scale = np.array([info.width / self.width, info.height / self.height], np.float32)
        rate = float(info.frame_rate)
        self._shots = ShotDetector(rate)
        self._cuts: deque[int] = deque()
        self._pending: deque[tuple[VideoFrame, AnalysisPicture]] = deque()
        self._last: tuple[VideoFrame, AnalysisPicture] | None = None
        self._calm = False
        self._samplers: dict[int, FaceSampler] = {}
        self._sharpness: dict[int, Measurements] = {}
        self._pts = array("q")
        self._futures: deque[Future[Tracklet | None]] = deque()
        self._tracklets: list[Tracklet] = []
        self._maker = TrackletMaker(models, self._scale, rate)
        self._tracker = FaceTracker(
            models.detector,
            make_follower(settings.tracker, models.detector),
            settings,
            frame_rate=rate,
            min_face_px=max(DETECTION_MARGIN * settings.min_face * self.height, SMALLEST_SEARCHED_PX),
            on_end=self._end_track,
        )

    def pictures(self, reader: VideoReader) -> Iterator[tuple[VideoFrame, AnalysisPicture, ByteArray]]:
        """Decoded frames with their analysis pictures and thumbnails; runs on the producer's thread."""
        for frame in reader.frames():
            picture = AnalysisPicture(frame, self.width, self.height)
            # A guess from the other thread's state: wrong ones cost time, not results.
            if not self._calm:
                picture()
            yield frame, picture, thumbnail(frame)

    def take(self, frame: VideoFrame, picture: AnalysisPicture, thumb: ByteArray) -> None:
        """Consume one frame. Tracking lags behind by the shot detector's delay."""
        self._pts.append(frame.pts)
        with timed("cuts"):
            boundaries = self._shots.update(thumb)
        self._cuts.extend(b.frame for b in boundaries if b.transition == "cut")
        self._pending.append((frame, picture))
        if len(self._pending) > MAX_CUT_DELAY:
            self._track(*self._pending.popleft())

    def result(self, decode_failures: int) -> FaceAnalysis:
        """Finish what is pending and put everything together."""
        self._check_stop()
        self._cuts.extend(b.frame for b in self._shots.finish() if b.transition == "cut")
        while self._pending:
            self._track(*self._pending.popleft())
        self._end_shot()
        self._collect(0)
        shots = self._shots.shots(len(self._pts))
        pieces = [piece for tracklet in self._tracklets for piece in cut_at_shots(tracklet, shots)]
        return FaceAnalysis(
            video=self._info,
            frame_pts=np.array(self._pts, np.int64),
            shots=shots,
            tracklets=numbered(pieces),
            embedder=self._models.embedder.name,
            decode_failures=decode_failures,
            statistics=dict(self._tracker.statistics),
        )

    def _track(self, frame: VideoFrame, picture: AnalysisPicture) -> None:
        if self._cuts and self._cuts[0] <= frame.index:
            self._cuts.popleft()
            self._end_shot()
        with timed("track"):
            look = self._tracker.update(frame.index, picture)
        self._calm = look is Look.SKIPPED or self._tracker.is_calm
        if look is not Look.SKIPPED:
            self._observe(frame, picture, sample=look is Look.SEARCHED or self._unsampled())
        self._last = frame, picture

    def _end_shot(self) -> None:
        if self._last is not None and self._tracker.look_again():
            self._observe(*self._last, sample=True)
        self._tracker.end_shot()

    def _unsampled(self) -> bool:
        """A face that is seen has not been looked at in full size yet."""
        return any(t.id not in self._samplers for t in self._tracker.visible)

    @timed("sample")
    def _observe(self, frame: VideoFrame, picture: AnalysisPicture, *, sample: bool) -> None:
        """Measure the faces seen in `frame`, and keep the good ones."""
        for track in self._tracker.visible:
            sharp = sharpness(picture(), track.landmarks[-1])
            self._sharpness.setdefault(track.id, Measurements()).note(frame.index, sharp)
            if sample:
                sampler = self._samplers.get(track.id)
                if sampler is None:
                    sampler = FaceSampler(self._models.embedder, self._settings.faces_per_track)
                    self._samplers[track.id] = sampler
                box, landmarks = track.box * np.tile(self._scale, 2), track.landmarks[-1] * self._scale
                sampler.offer(frame, box, track.scores[-1], landmarks, sharp)

    def _check_stop(self) -> None:
        if self._monitor.stop.is_set():
            raise InterruptedRunError("stopped", path=self._info.path, stage="analyse")

    def _end_track(self, track: Track) -> None:
        sampler = self._samplers.pop(track.id, None)
        samples, portrait = sampler.finish() if sampler else ([], b"")
        sharp = self._sharpness.pop(track.id, Measurements())
        # What is logged there is about this video too.
        run = contextvars.copy_context().run
        self._futures.append(self._pool.submit(run, self._maker.make, track, sharp, samples, portrait))
        self._collect(PENDING_EMBEDDINGS)

    def _collect(self, leave: int) -> None:
        """Take finished tracklets, oldest first, until at most `leave` are under way."""
        while len(self._futures) > leave or (self._futures and self._futures[0].done()):
            while not self._futures[0].done():
                wait(list(self._futures)[:1], timeout=STOP_POLL_S)
                self._check_stop()
            tracklet = self._futures.popleft().result()
            if tracklet is not None:
                self._tracklets.append(tracklet)


def analysis_size(width: int, height: int, min_face: float) -> tuple[int, int]:
    """Size at which a picture is analysed: the smallest face wanted is 24 px high; never enlarged."""
    scale = min(1.0, SMALLEST_FACE_PX / (min_face * height))
    return max(16, min(2 * math.ceil(width * scale / 2), width)), max(16, round(height * scale))


def numbered(tracklets: list[Tracklet]) -> tuple[Tracklet, ...]:
    """Tracklets in order of appearance (from left to right within a frame), ids counting from 0."""
    ordered = sorted(tracklets, key=lambda t: (t.start, float(t.boxes[0, 0]), t.end))
    return tuple(dataclasses.replace(t, id=i) for i, t in enumerate(ordered))
