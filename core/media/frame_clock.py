"""The times of decoded frames, mended where they are missing, wrong or begin anew."""

from __future__ import annotations

from collections.abc import Iterator

import av

from core.media.media_input import CLOCK_RESET_S, LONGEST_HOLE_S, decoded_pts
from core.types import VideoInfo

_PTS_LIMIT = 2**60
"""times beyond are damage; sums with them must still fit into 64 bits"""


class FrameClock:
    """Gives frames pts that exist and increase.

    Attributes:
        repaired_pts: frames whose time was missing or not after the one before, and was made up.
        clock_shifts: what was added to the times in the file after each lasting leap of its clock so far, ticks of
            the stream's time base.
    """

    def __init__(self, info: VideoInfo) -> None:
        self._info = info
        self._interval = info.frame_interval or max(1, round(1 / (info.frame_rate * info.time_base)))
        self.repaired_pts = 0
        self.clock_shifts: list[int] = []

    def stored_pts(self, frame: av.VideoFrame) -> int | None:
        """The time in the file; None where there is none or it is absurd."""
        pts = decoded_pts(frame, self._info.container)
        return None if pts is None or abs(pts) > _PTS_LIMIT else pts

    def timed(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The same frames with pts that exist and increase."""
        last: int | None = None
        shift = 0
        reset = round(CLOCK_RESET_S / self._info.time_base)
        hole = round(LONGEST_HOLE_S / self._info.time_base)
        following: av.VideoFrame | None = None
        while (frame := following or next(frames, None)) is not None:
            following = None
            pts = self.stored_pts(frame)
            if pts is not None:
                pts += shift
            if last is not None and pts is not None and pts > last + reset:
                # One wrong time must not move all that come after it away from their sound.
                following = next(frames, None)
                after = None if following is None else self.stored_pts(following)
                if after is not None and last < after + shift < pts - reset:
                    pts = None
            if last is not None and (pts is None or not last < pts <= last + hole):
                self.repaired_pts += 1
                if pts is None:
                    pts = last + self._interval
                elif not last - reset <= pts <= last:
                    shift += last + self._interval - pts
                    self.clock_shifts.append(shift)
                    pts = last + self._interval
                else:
                    pts = last + 1
            elif pts is None:
                self.repaired_pts += 1
                pts = self._info.start_pts
            frame.pts = last = pts
            yield frame
