"""Frames in, faces out: tracking as one object that knows no file, no thread and no decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config import AnalysisSettings
from core.models.face_detector import FaceRefiner
from core.types import FloatArray
from processors.tracking.box_trackers import BoxFollower
from processors.tracking.detection_schedule import CandidateSource, DetectionSchedule, SearchDetectors
from processors.tracking.face_tracker import FaceTracker, FrameAction
from processors.tracking.frame_pace import FramePace
from processors.tracking.lazy_image import LazyImage
from processors.tracking.second_opinion import Confirmation
from processors.tracking.track import Track

DETECTION_MARGIN = 0.9
"""faces are searched for down to this share of the smallest wanted size: sizes are estimates"""

MIN_SEARCHED_PX = 10
"""smaller faces are never searched for: of very low images the detector would make enlargements, by any factor"""


@dataclass(frozen=True, slots=True, eq=False)
class VisibleFace:
    """A face as it was seen in one frame, analysis pixels. box: (4,). landmarks: (5, 2)."""

    track: int
    box: FloatArray
    score: float
    landmarks: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class FrameFaces:
    """The faces seen in one frame. searched: the detector ran on it, so boxes are corrected and newcomers are there."""

    frame: int
    faces: tuple[VisibleFace, ...]
    searched: bool


@dataclass(frozen=True, slots=True, eq=False)
class TrackingModels:
    """What finds and follows the faces of a stream.

    searches: find all faces of an image. refiner: corrects a box that is nearly right. follower: proposes where a face
    has gone. candidates: may compute a search's candidates ahead of it. confirm: a second opinion on weak detections.
    """

    searches: SearchDetectors
    refiner: FaceRefiner
    follower: BoxFollower
    candidates: CandidateSource | None = None
    confirm: Confirmation | None = None


class FaceStream:
    """Finds and follows the faces of one video. Feed it every frame in order, then call `finish`.

    Attributes:
        expects_skip: the next frame will probably be skipped, so its image need not be made ahead of time.
    """

    def __init__(self, models: TrackingModels, settings: AnalysisSettings, rate: float, *, height: int) -> None:
        """rate: frames per second. height: of the images, px."""
        smallest = smallest_searched_face(settings.min_face, height)
        pace = FramePace(rate)
        schedule = DetectionSchedule(models.searches, settings, pace, smallest, models.candidates)
        self._tracker = FaceTracker(schedule, models.refiner, models.follower, settings, pace, models.confirm)
        self._last_frame: int | None = None
        self.expects_skip = False

    @property
    def statistics(self) -> dict[str, int]:
        """Counts of searches and of followed and lost faces so far."""
        return self._tracker.statistics

    def update(self, frame_index: int, image: LazyImage, *, cut: bool, tick: int | None = None) -> list[FrameFaces]:
        """Take the next frame; returns the frames whose visible faces became known, in order.

        That is this frame, unless it is skipped because faces were followed a moment ago; before it, after a cut, the
        last frame of the shot before once more, if it had not been searched; the same after a frame that was shown for
        longer than a track outlives its face, as in screen recordings, because it is all that is known of that time.

        image: kept for a second, converted only if needed.
        cut: this frame is the first one of a new shot. The first frame of the video need not be one.
        tick: when it is shown, see `FrameTicks`; None: the rate is constant.
        """
        results: list[FrameFaces] = []
        if cut:
            results = self._end_shot()
        elif tick is not None and self._tracker.outlasts_absence(tick):
            results = self._end_hold()
        self._last_frame = frame_index
        action = self._tracker.update(frame_index, image, tick)
        self.expects_skip = action is FrameAction.SKIPPED or self._tracker.expects_skip
        if action is not FrameAction.SKIPPED:
            results.append(self._visible(frame_index, searched=action is FrameAction.SEARCHED))
        return results

    def finish(self) -> list[FrameFaces]:
        """End the last shot; returns its last frame if that had not been searched. All tracks have ended then."""
        return self._end_shot()

    def take_ended(self) -> Sequence[Track]:
        """Tracks that have ended since the last call, in that order; each lies within one shot and is final."""
        return self._tracker.take_ended()

    def _end_shot(self) -> list[FrameFaces]:
        results = self._search_last_frame()
        self._tracker.end_shot()
        return results

    def _end_hold(self) -> list[FrameFaces]:
        results = self._search_last_frame()
        self._tracker.end_hidden()
        return results

    def _search_last_frame(self) -> list[FrameFaces]:
        if self._last_frame is None or not self._tracker.search_last_frame():
            return []
        return [self._visible(self._last_frame, searched=True)]

    def _visible(self, frame: int, *, searched: bool) -> FrameFaces:
        tracks = self._tracker.visible
        faces = tuple(VisibleFace(t.id, t.box, t.scores[-1], t.landmarks[-1]) for t in tracks)
        return FrameFaces(frame, faces, searched)


def smallest_searched_face(min_face: float, height: int) -> float:
    """Height, px, of the smallest face searched for in images of `height` px. min_face: wanted, as a share of it."""
    return max(DETECTION_MARGIN * min_face * height, MIN_SEARCHED_PX)
