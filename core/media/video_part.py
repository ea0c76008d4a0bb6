"""The part of a video that is analysed, as times of its frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from config import AnalysisSettings
from core.errors import DecodeError
from core.types import VideoInfo


@dataclass(frozen=True, slots=True)
class VideoPart:
    """Frames with start_pts <= pts < end_pts; None: from the first frame, to the last.

    origin_pts: of the first frame of the video, from which times in seconds count; None if the part is all of it.
    frame_count: an estimate, 0 where unknown; for progress only.
    """

    start_pts: int | None
    end_pts: int | None
    origin_pts: int | None
    frame_count: int

    def first_frame(self, info: VideoInfo) -> int:
        """Number of the part's first frame among all frames of `info`; exact if these follow at a constant rate."""
        if self.start_pts is None or self.origin_pts is None:
            return 0
        # The times of frames are rounded to ticks, so a frame may lie half a tick before its place.
        ticks = self.start_pts - self.origin_pts - Fraction(1, 2)
        return max(math.ceil(ticks * info.time_base * info.frame_rate), 0)

    def empty_error(self, info: VideoInfo) -> DecodeError:
        """The error that no frame of `info` lies in this part."""
        length = f"it is {info.duration_s:.1f} s long" if info.duration_s > 0 else "see --start and --end"
        return DecodeError("no frame lies in the part that was asked for", path=info.path, stage="decode", hint=length)


def part_of(info: VideoInfo, settings: AnalysisSettings) -> VideoPart:
    """The part of `info` between `settings.part`.

    Raises:
        DecodeError: it begins after the end of the video that the header states.
    """
    start_s, end_s = settings.part
    if not start_s and end_s is None:
        return VideoPart(None, None, None, info.frame_count)

    def pts(seconds: float) -> int:
        return info.start_pts + round(seconds / float(info.time_base))

    shown_s = (info.duration_s if end_s is None else min(end_s, info.duration_s)) - start_s
    share = max(shown_s, 0.0) / info.duration_s if info.duration_s > 0 else 0.0
    part = VideoPart(
        start_pts=pts(start_s) if start_s else None,
        end_pts=None if end_s is None else pts(end_s),
        origin_pts=info.start_pts,
        frame_count=round(info.frame_count * share),
    )
    if info.duration_s > 0 and shown_s <= 0:
        raise part.empty_error(info)
    return part
