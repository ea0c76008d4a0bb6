"""Segments in the time of editing programs: whole frames at a constant rate."""

from __future__ import annotations

from dataclasses import dataclass

from core.types import FaceAnalysis, Identity, SourceTimecode, VideoInfo
from utils.time_formats import timecode_base

MARKER_COLORS = ("RED", "GREEN", "BLUE", "CYAN", "MAGENTA", "YELLOW")
"""colours of the people in turn; names that OTIO and the locators of EDLs share"""


@dataclass(frozen=True, slots=True)
class Cut:
    """Frames [start, end) of the source, counted from its first one at its nominal rate, and their shot."""

    start: int
    end: int
    shot: int


def source_cuts(analysis: FaceAnalysis, person: Identity) -> list[Cut]:
    """The person's segments in time order, without overlaps.

    An editing program computes a frame number as time * rate; in a source of variable rate that is not the number of
    the decoded frame.
    """
    rate = float(analysis.video.frame_rate)
    cuts: list[Cut] = []
    for segment in sorted(person.segments, key=lambda segment: (segment.start, segment.end)):
        start, end = round(analysis.seconds_at(segment.start) * rate), round(analysis.seconds_at(segment.end) * rate)
        start = max(start, cuts[-1].end) if cuts else start
        if end > start:
            cuts.append(Cut(start, end, segment.shot))
    return cuts


def source_length(analysis: FaceAnalysis) -> int:
    """Length of the source, in frames at its nominal rate; if only a part was analysed, according to its header."""
    seconds = analysis.seconds_at(analysis.frame_count)
    if analysis.origin_pts is not None:
        seconds = max(seconds, analysis.video.duration_s)
    return round(seconds * float(analysis.video.frame_rate))


def counted_timecode(video: VideoInfo) -> SourceTimecode:
    """The timecode of the source; non-drop timecode from 00:00:00:00 if the file has none."""
    return video.timecode or SourceTimecode(0, timecode_base(video.frame_rate))
