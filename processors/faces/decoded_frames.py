"""The frames of a video on their way to the tracker: decoded, scaled, and with the boundaries of shots."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from core.media.video_reader import VideoReader
from core.types import ByteArray, PixelBox, Shot
from processors.faces.analysis_frame import AnalysisFrame, AnalysisImage
from processors.faces.pass_plan import PassPlan
from processors.shots.active_picture import ActivePictureFinder
from processors.shots.shot_boundary import ShotBoundary, ShotSource, cut_frames
from processors.shots.shot_detector import MAX_CUT_DELAY
from processors.tracking.frame_pace import FramePace, FrameTicks
from processors.tracking.proposal_prefetch import ProposalPrefetcher
from utils.processes.stage_times import timed


@dataclass(frozen=True, slots=True)
class LookAhead:
    """Prepares what the tracker will need of frames that it has not come to, as far as that can be foreseen.

    is_image_needed: a guess whether the tracker will look at the next frame. prefetcher: begins searches ahead of time;
    None: no search begins early. smallest_face: that is searched for, height in px of the analysis images.
    """

    is_image_needed: Callable[[], bool]
    prefetcher: ProposalPrefetcher | None
    smallest_face: float

    def prepare(self, frame: AnalysisFrame) -> None:
        """For a frame that was just decoded."""
        if self.is_image_needed():
            frame.image()
        if self.prefetcher is not None:
            self.prefetcher.offer(frame.tick, frame.image)

    def begin_shots(self, recent: Sequence[AnalysisFrame], cuts: Collection[int]) -> None:
        """Begin the searches of the first frames of shots, which are always searched.

        recent: the frames that the tracker has not come to, the newest last. cuts: those that were just found.
        """
        if self.prefetcher is None:
            return
        is_start_of_video = recent[-1].index == 0
        for frame in recent:
            if frame.index in cuts or is_start_of_video:
                self.prefetcher.start(frame.tick, frame.image(), self.smallest_face)


class DecodedFrames:
    """Decodes, scales and finds cuts, on the thread of whoever iterates."""

    def __init__(
        self,
        reader: VideoReader,
        plan: PassPlan,
        size: tuple[int, int],
        shots: ShotSource,
        look_ahead: LookAhead,
    ) -> None:
        """size: width and height of analysis images, px."""
        info = plan.info
        self._reader = reader
        self._plan = plan
        self._size = size
        self._shots = shots
        self._active_pictures = ActivePictureFinder(info.width, info.height, plan.frame_rate)
        self._ticks = FrameTicks(info.frame_rate, info.time_base)
        self._look_ahead = look_ahead

    def __iter__(self) -> Iterator[tuple[AnalysisFrame, list[ShotBoundary]]]:
        """Each frame with the boundaries that it made certain, cuts at most `MAX_CUT_DELAY` frames back."""
        recent: deque[AnalysisFrame] = deque(maxlen=MAX_CUT_DELAY + 1)
        earlier: deque[ByteArray] = deque(maxlen=FramePace(self._plan.frame_rate).calm_stride)
        placed: PixelBox | None = None
        part, is_overexposed = self._plan.part, self._plan.is_overexposed
        for source in self._reader.frames(part.start_pts, part.end_pts):
            image = AnalysisImage(source, *self._size, is_overexposed=is_overexposed)
            frame = AnalysisFrame(source, image, self._ticks.next(source.pts), tuple(earlier))
            earlier.append(image.thumbnail)
            recent.append(frame)
            self._look_ahead.prepare(frame)
            with timed("cuts"):
                # Where the stream changes its shape, no camera path can go on.
                is_reshaped = source.placed != placed and source.index > 0
                placed = source.placed
                boundaries = self._shots.update(frame.image.small_rgb(), is_cut=is_reshaped)
                cuts = cut_frames(boundaries)
                self._active_pictures.update(source, new_shot=is_reshaped or bool(cuts))
            self._look_ahead.begin_shots(recent, cuts)
            yield frame, boundaries

    def last_boundaries(self) -> list[ShotBoundary]:
        """Boundaries among the last frames; to be called once, after the last frame."""
        return self._shots.finish()

    def shots(self, frame_count: int) -> tuple[Shot, ...]:
        """All shots of the video and their active pictures, after `last_boundaries`."""
        return self._active_pictures.with_active_pictures(self._shots.shots(frame_count))
