"""One pass over the frames of a video: from decoded frames to a `FaceAnalysis`, without a file or a decoder."""

from __future__ import annotations

import contextlib
import dataclasses
from array import array
from collections import deque
from collections.abc import Sequence

import numpy as np

from config import AnalysisSettings
from core.errors import InterruptedRunError
from core.media.frame_rate import with_rate_of_all
from core.media.video_frame import waiting_frames
from core.media.video_reader import VideoReader
from core.model_manager import ModelManager
from core.types import FaceAnalysis, FloatArray, Tracklet
from processors.faces.analysis_frame import AnalysisFrame
from processors.faces.analysis_size import analysis_size
from processors.faces.decoded_frames import DecodedFrames, LookAhead
from processors.faces.face_observer import MAX_PENDING, FaceObserver, ObserverThread
from processors.faces.faceless_check import SURE_CERTAINTY, FacelessCheck, certainty
from processors.faces.hand_over import cut_tracks
from processors.faces.look_observer import LookObserver
from processors.faces.pass_plan import PassPlan
from processors.faces.sampling_observer import SamplingObserver
from processors.faces.tracklet_maker import TrackCutting
from processors.faces.weak_detections import WeakDetectionCheck
from processors.shots.given_cuts import GivenCuts
from processors.shots.shot_boundary import ShotBoundary, ShotSource, cut_frames
from processors.shots.shot_detector import MAX_CUT_DELAY, ShotDetector
from processors.tracking.box_trackers import make_follower
from processors.tracking.detection_schedule import SearchDetectors
from processors.tracking.face_stream import FaceStream, FrameFaces, TrackingModels, smallest_searched_face
from processors.tracking.frame_pace import FramePace
from processors.tracking.proposal_prefetch import ProposalPrefetcher
from processors.tracking.second_opinion import Confirmation
from processors.tracking.tilted_face_search import TiltedFaceSearch
from processors.tracking.truncated_face_search import TruncatedFaceSearch
from utils.console.stage_monitor import StageMonitor
from utils.processes.stage_times import timed


def make_observers(models: ModelManager, plan: PassPlan, scale: FloatArray) -> list[FaceObserver]:
    """Everything that is measured on the faces of a video.

    scale: (2,) source pixels per analysis pixel, x and y.
    """
    return [
        SamplingObserver(models, plan, scale),
        LookObserver(models.detector.score_scale, plan.frame_rate),
    ]


class AnalysisPass:
    """Feeds the face stream, three frames behind the decoder, and its faces to the observers; a context manager.

    The tracker must never see a frame before it is known whether a new shot begins with it, and the shot detector
    knows that `MAX_CUT_DELAY` frames later.
    """

    def __init__(self, plan: PassPlan, models: ModelManager, monitor: StageMonitor) -> None:
        info, settings = plan.info, plan.settings
        self._monitor = monitor
        self._plan = plan
        self._models = models
        self._width, self._height = analysis_size(info.width, info.height, settings.min_face)
        self._smallest_face = smallest_searched_face(settings.min_face, self._height)
        models.prepare()
        self._rate = plan.frame_rate
        self._pace = FramePace(self._rate)
        self._capacity = settings.faces_per_track
        self._shots = make_shot_source(plan)
        # A GPU is used by one thread only.
        self._prefetcher = ProposalPrefetcher(models.detector) if models.proposes_on_cpu else None
        confirm = None if models.quick_verifier is None else WeakDetectionCheck(models.quick_verifier)
        tracking_models = TrackingModels(
            SearchDetectors(
                models.detector,
                models.newcomer_detector,
                tilted_face_search(models, confirm, settings),
                TruncatedFaceSearch(models.quick_proposer, models.detector, settings.face_score),
            ),
            models.detector,
            make_follower(settings.tracker, models.detector),
            candidates=self._prefetcher,
            confirm=confirm,
        )
        self._stream = FaceStream(tracking_models, settings, self._rate, height=self._height)
        scale = np.array([info.width / self._width, info.height / self._height], np.float32)
        observers = make_observers(models, plan, scale)
        pending = waiting_frames(info.width, info.height, MAX_PENDING)
        self._observers = ObserverThread(observers, scale, self._pace, self._check_stop, pending)
        self._faceless = FacelessCheck(models, self._smallest_face, info.turn)
        self._waiting: deque[AnalysisFrame] = deque()
        self._cuts: deque[int] = deque()
        self._last: AnalysisFrame | None = None
        self._pts = array("q")

    def __enter__(self) -> AnalysisPass:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._observers)
            if self._prefetcher is not None:
                stack.enter_context(self._prefetcher)
            self._threads = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.close()

    def decoded_frames(self, reader: VideoReader) -> DecodedFrames:
        """The frames for `take`; to be iterated on another thread."""
        return DecodedFrames(
            reader,
            self._plan,
            (self._width, self._height),
            self._shots,
            # Read from the other thread: a wrong answer costs time, not results.
            LookAhead(lambda: not self._stream.expects_skip, self._prefetcher, self._smallest_face),
        )

    def take(self, frame: AnalysisFrame, boundaries: Sequence[ShotBoundary]) -> None:
        """Take the next frame, and the boundaries that have become certain with it."""
        self._pts.append(frame.source.pts)
        self._waiting.append(frame)
        self._take_boundaries(boundaries)
        if len(self._waiting) > MAX_CUT_DELAY:
            self._track(self._waiting.popleft())

    def result(self, reader: VideoReader, decoded: DecodedFrames) -> FaceAnalysis:
        """Track the frames that wait, and put everything together. `reader`, `decoded`: at their end."""
        part = self._plan.part
        self._check_stop()
        if not self._pts:
            raise part.empty_error(self._plan.info)
        self._take_boundaries(decoded.last_boundaries())
        while self._waiting:
            self._track(self._waiting.popleft())
        self._deliver(self._stream.finish())
        tracks = self._observers.finish()
        # Cuts after the end of a part are expected.
        beyond = {}
        if (
            isinstance(self._shots, GivenCuts)
            and part.end_pts is None
            and (count := self._shots.beyond(len(self._pts)))
        ):
            beyond["cuts_beyond_end"] = count
        cutting = TrackCutting(self._pace, self._capacity, self._models.embedder.name)
        given = isinstance(self._shots, GivenCuts)
        found = decoded.shots(len(self._pts))
        pieces, shots = cut_tracks(tracks, found, cutting, may_add=not given, bursts=self._shots.bursts)
        is_explained = self._plan.is_overexposed or certainty(pieces, self._rate) >= SURE_CERTAINTY
        hints = {} if is_explained else self._faceless.findings(has_tracklets=bool(pieces))
        frame_pts = np.array(self._pts, np.int64)
        video = with_rate_of_all(self._plan.info, frame_pts)
        return FaceAnalysis(
            video=dataclasses.replace(video, has_repaired_times=reader.repaired_pts > 0),
            frame_pts=frame_pts,
            shots=shots,
            tracklets=numbered(pieces),
            embedder=cutting.embedder,
            decode_failures=reader.decode_failures,
            statistics={**self._stream.statistics, **reader.statistics, **beyond, **hints},
            clock_shifts=tuple(reader.clock_shifts),
            origin_pts=part.origin_pts,
        )

    def _take_boundaries(self, boundaries: Sequence[ShotBoundary]) -> None:
        cuts = cut_frames(boundaries)
        assert all(self._waiting and cut >= self._waiting[0].index for cut in cuts), "a cut in a frame already tracked"
        self._cuts.extend(cuts)
        for boundary in boundaries:
            if boundary.transition != "cut":
                self._observers.on_gradual_transition(boundary.frame)

    def _track(self, frame: AnalysisFrame) -> None:
        is_cut = bool(self._cuts) and self._cuts[0] == frame.index
        if is_cut:
            self._cuts.popleft()
        with timed("track"):
            results = self._stream.update(frame.index, frame.image, cut=is_cut, tick=frame.tick)
        if results and results[-1].searched and results[-1].frame == frame.index:
            self._faceless.offer(frame.image())
        self._deliver(results, frame)
        self._last = frame

    def _deliver(self, results: Sequence[FrameFaces], frame: AnalysisFrame | None = None) -> None:
        """Hand the observers what became known with `frame`: its faces, or those of the frame before."""
        frames = {f.index: f for f in (self._last, frame) if f is not None}
        for faces in results:
            self._observers.on_faces(frames[faces.frame], faces)
        for track in self._stream.take_ended():
            self._observers.on_track_end(track)

    def _check_stop(self) -> None:
        if self._monitor.stop.is_set():
            raise InterruptedRunError("stopped", path=self._plan.info.path, stage="analyse")


def tilted_face_search(
    models: ModelManager, confirm: Confirmation | None, settings: AnalysisSettings
) -> TiltedFaceSearch | None:
    """What finds tilted faces; None where nothing proposes or confirms them."""
    turned, upright = models.turned_proposer, models.quick_proposer
    if turned is None or upright is None or confirm is None:
        return None
    return TiltedFaceSearch(turned, upright, models.detector, confirm, settings.face_score)


def make_shot_source(plan: PassPlan) -> ShotSource:
    """What says where shots begin in the part that is analysed: the cuts that were given, or a detector."""
    settings = plan.settings
    if not settings.cuts:
        return ShotDetector(plan.frame_rate, settings.cut_sensitivity)
    return GivenCuts(settings.cuts, plan.frame_rate, plan.part.first_frame(plan.info))


def numbered(tracklets: list[Tracklet]) -> tuple[Tracklet, ...]:
    """Tracklets in order of appearance (from left to right within a frame), ids counting from 0."""
    ordered = sorted(tracklets, key=lambda t: (t.start, float(t.boxes[0, 0]), t.end))
    return tuple(dataclasses.replace(t, id=i) for i, t in enumerate(ordered))
