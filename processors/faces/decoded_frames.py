"""The frames of a video on their way to the tracker: decoded, scaled, and with the boundaries of shots."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from core.media.video_part import VideoPart
from core.media.video_reader import VideoReader
from core.types import PixelBox, Shot
from processors.faces.analysis_frame import AnalysisFrame, AnalysisImage
from processors.shots.active_picture import ActivePictureFinder
from processors.shots.shot_boundary import ShotBoundary, ShotSource, cut_frames
from processors.shots.shot_detector import MAX_CUT_DELAY
from processors.tracking.frame_pace import FrameTicks
from processors.tracking.proposal_prefetch import ProposalPrefetcher
from utils.stage_times import timed


class DecodedFrames:
    """Decodes, scales and finds cuts, on the thread of whoever iterates; also starts searches that are foreseen."""

    def __init__(
        self,
        reader: VideoReader,
        shots: ShotSource,
        active_pictures: ActivePictureFinder,
        size: tuple[int, int],
        is_image_needed: Callable[[], bool],
        prefetcher: ProposalPrefetcher | None,
        smallest_face: float,
        part: VideoPart,
        ticks: FrameTicks,
        *,
        is_overexposed: bool = False,
    ) -> None:
        """size: width and height of analysis images, px. is_image_needed: a guess whether the tracker will look.

        is_overexposed: images are to be darkened.
        """
        self._reader = reader
        self._shots = shots
        self._active_pictures = active_pictures
        self._size = size
        self._is_image_needed = is_image_needed
        self._prefetcher = prefetcher
        self._smallest_face = smallest_face
        self._part = part
        self._ticks = ticks
        self._is_overexposed = is_overexposed

    def __iter__(self) -> Iterator[tuple[AnalysisFrame, list[ShotBoundary]]]:
        """Each frame with the boundaries that it made certain, cuts at most `MAX_CUT_DELAY` frames back."""
        recent: deque[AnalysisFrame] = deque(maxlen=MAX_CUT_DELAY + 1)
        placed: PixelBox | None = None
        for source in self._reader.frames(self._part.start_pts, self._part.end_pts):
            image = AnalysisImage(source, *self._size, is_overexposed=self._is_overexposed)
            frame = AnalysisFrame(source, image, self._ticks.next(source.pts))
            recent.append(frame)
            if self._is_image_needed():
                frame.image()
            if self._prefetcher is not None:
                self._prefetcher.offer(frame.tick, frame.image)
            with timed("cuts"):
                # Where the stream changes its shape, no camera path can go on.
                is_reshaped = source.placed != placed and source.index > 0
                placed = source.placed
                boundaries = self._shots.update(frame.image.small_rgb(), is_cut=is_reshaped)
                cuts = cut_frames(boundaries)
                self._active_pictures.update(source, new_shot=is_reshaped or bool(cuts))
            if self._prefetcher is not None:
                # The first frame of a shot is always searched, and the tracker has not come to it yet.
                for one in recent:
                    if one.index in cuts or one.index == frame.index == 0:
                        self._prefetcher.start(one.tick, one.image(), self._smallest_face)
            yield frame, boundaries

    def last_boundaries(self) -> list[ShotBoundary]:
        """Boundaries among the last frames; to be called once, after the last frame."""
        return self._shots.finish()

    def shots(self, frame_count: int) -> tuple[Shot, ...]:
        """All shots of the video and their active pictures, after `last_boundaries`."""
        return self._active_pictures.with_active_pictures(self._shots.shots(frame_count))
