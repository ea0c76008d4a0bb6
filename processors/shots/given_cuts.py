"""Given cuts, used instead of the shot detector."""

from __future__ import annotations

from collections.abc import Sequence

from core.types import ByteArray, Shot
from processors.shots.cut_list import cut_frames
from processors.shots.motion_burst import Burst
from processors.shots.shot_boundary import ShotBoundary, shots_between


class GivenCuts:
    """A `ShotSource` that ignores the images."""

    def __init__(self, cuts: str, frame_rate: float, first_frame: int = 0) -> None:
        """cuts: a list, see `read_cut_list`. frame_rate: of the video, frames per second.

        first_frame: number of the first frame that `update` gets, if only a part of the video is analysed. The list
        counts from the beginning of the video, everything else here from that frame.
        """
        places = (frame - first_frame for frame in cut_frames(cuts, frame_rate))
        self._frames = [place for place in places if place > 0]
        self._starts = set(self._frames)
        self._count = 0

    def update(self, image: ByteArray, *, is_cut: bool = False) -> list[ShotBoundary]:
        """Count a frame; returns its boundary if a shot begins with it. is_cut: one begins regardless of the list."""
        frame = self._count
        self._count += 1
        if is_cut:
            self._starts.add(frame)
        return [ShotBoundary(frame, "cut")] if frame in self._starts else []

    @property
    def bursts(self) -> Sequence[Burst]:
        """None: the images are ignored."""
        return ()

    def finish(self) -> list[ShotBoundary]:
        """No boundary is outstanding."""
        return []

    def shots(self, frame_count: int) -> tuple[Shot, ...]:
        """All shots of a video of `frame_count` frames."""
        return shots_between((ShotBoundary(frame, "cut") for frame in self._starts), frame_count)

    def beyond(self, frame_count: int) -> int:
        """How many cuts lie at or after the end of a video of `frame_count` frames."""
        return sum(frame >= frame_count for frame in self._frames)
