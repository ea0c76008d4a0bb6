"""Leaves some spans of frames out of a track. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from processors.faces.tracklet_maker import MeasuredTrack
from processors.shots.shot_boundary import Span


def without(track: MeasuredTrack, spans: Iterable[Span]) -> list[MeasuredTrack]:
    """The parts of a track that lie outside of some spans of frames, which may overlap."""
    outside = []
    begin = 0
    for first, end in sorted(spans):
        if first > begin:
            outside.append((begin, first))
        begin = max(begin, end)
    frames = track.whole.frames
    if not begin:
        return [track]
    outside.append((begin, max(track.whole.end, begin)))
    return [_between(track, a, b) for a, b in outside if ((frames >= a) & (frames < b)).any()]


def _between(track: MeasuredTrack, first: int, end: int) -> MeasuredTrack:
    """What the track shows in the frames [first, end), at least one of which it has."""
    whole = track.whole

    def inside(frames: np.ndarray) -> np.ndarray:
        return np.flatnonzero((frames >= first) & (frames < end))

    return MeasuredTrack(
        whole.part(inside(whole.frames), inside(whole.sample_frames), inside(whole.look_frames)),
        [frame for frame in track.divisions if first < frame < end],
        [portrait for portrait in track.portraits if first <= portrait.frame < end],
        [frame for frame in track.dissolves if first < frame < end],
        [frame for frame in track.switches if first < frame < end],
    )
