"""Measuring the faces that are followed, beside the following: sharpness, the best samples, tracklets.

One thread does all of it, in the order in which it was asked for, so the result does not depend on its pace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import numpy as np

from config import AnalysisSettings
from core.media.video_frame import VideoFrame
from core.model_manager import ModelManager
from core.types import ByteArray, FloatArray, Tracklet
from processors.faces.face_sampler import FaceSampler, sharpness
from processors.faces.tracklet_maker import TrackletMaker
from processors.tracking.row_buffer import Measurements
from processors.tracking.track import Track
from utils.helper_threads import submit
from utils.stage_times import timed

MAX_PENDING = 16
"""looks and tracks that wait for the thread; each look keeps its picture"""

STOP_POLL_S = 0.1


@dataclass(slots=True)
class _Observed:
    sampler: FaceSampler
    sharpness: Measurements = field(default_factory=Measurements)


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """A face as it was when it was looked at, analysis pixels."""

    track: int
    box: FloatArray
    score: float
    landmarks: FloatArray


class FaceObserver:
    """Observes the tracks of one video; a context manager that ends its thread.

    Attributes:
        tracklets: of the tracks that have ended and are faces, in the order in which they ended.
    """

    def __init__(
        self,
        models: ModelManager,
        settings: AnalysisSettings,
        scale: FloatArray,
        frame_rate: float,
        check: Callable[[], None],
    ) -> None:
        """scale: (2,) source pixels per analysis pixel, x and y. check: called while waiting; may raise to leave."""
        self._models = models
        self._settings = settings
        self._scale = scale
        self._check = check
        self._maker = TrackletMaker(models, scale, frame_rate)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="observe")
        self._pending: deque[Future[None]] = deque()
        self._observed: dict[int, _Observed] = {}  # the thread's own
        self._sampled: set[int] = set()
        self.tracklets: list[Tracklet] = []

    def __enter__(self) -> FaceObserver:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def look(self, frame: VideoFrame, picture: ByteArray, tracks: Sequence[Track], *, sample: bool) -> None:
        """The faces of `tracks` are in `frame`, in their last rows. picture: the frame at the analysis size.

        sample: look at them in full size. A track that never was is looked at anyway, and all others with it.
        """
        if not tracks:
            return
        ids = {track.id for track in tracks}
        sample = sample or not ids <= self._sampled
        if sample:
            self._sampled |= ids
        faces = [_Face(t.id, t.box, t.scores[-1], t.landmarks[-1]) for t in tracks]
        self._submit(self._measure, frame, picture, faces, sample)

    def end(self, track: Track) -> None:
        """`track` has ended: it becomes a tracklet, if it is a face."""
        self._sampled.discard(track.id)
        self._submit(self._finish, track)

    def finish(self) -> None:
        """Wait until everything is done.

        Raises:
            What the thread raised, as `look` and `end` do: ModelError and the like.
        """
        self._collect(0)

    def _submit(self, work: Callable[..., None], *arguments: object) -> None:
        self._pending.append(submit(self._pool, work, *arguments))
        self._collect(MAX_PENDING)

    def _collect(self, leave: int) -> None:
        while len(self._pending) > leave or (self._pending and self._pending[0].done()):
            while not self._pending[0].done():
                wait([self._pending[0]], timeout=STOP_POLL_S)
                self._check()
            self._pending.popleft().result()

    @timed("sample")
    def _measure(self, frame: VideoFrame, picture: ByteArray, faces: Sequence[_Face], sample: bool) -> None:
        for face in faces:
            observed = self._observed.get(face.track)
            if observed is None:
                observed = _Observed(FaceSampler(self._models.embedder, self._settings.faces_per_track))
                self._observed[face.track] = observed
            sharp = sharpness(picture, face.landmarks)
            observed.sharpness.note(frame.index, sharp)
            if sample:
                box, landmarks = face.box * np.tile(self._scale, 2), face.landmarks * self._scale
                observed.sampler.offer(frame, box, face.score, landmarks, sharp)

    def _finish(self, track: Track) -> None:
        observed = self._observed.pop(track.id, None)
        samples, portrait = observed.sampler.finish() if observed else ([], b"")
        sharp = observed.sharpness if observed else Measurements()
        tracklet = self._maker.make(track, sharp, samples, portrait)
        if tracklet is not None:
            self.tracklets.append(tracklet)
