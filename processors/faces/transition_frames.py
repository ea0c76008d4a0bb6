"""Leaves out of tracks the frames of transitions in which an image moves away or comes in.

The shot begins in the middle of such a transition. Clips should end where the outgoing image begins to move, and begin
where the incoming one has come to rest. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from core.types import Shot
from processors.faces.tracklet_maker import MeasuredTrack
from processors.shots.motion_burst import WHOLE_IMAGE, Burst
from utils.images.box_geometry import iou_matrix

Span = tuple[int, int]
"""frames [first, end)"""

NEAR_FRAMES = 2
"""a boundary so near a burst belongs to it"""

STAYS = 0.5
"""IoU of a face's boxes from which it stayed where it was"""

_MIN_SEEN = 0.8
"""least share of the frames of a transition in which a face that stays is seen"""


def whole_image_bursts(bursts: Sequence[Burst]) -> list[Span]:
    """The frames of those that change nearly all of the image."""
    return [(burst.first, burst.end) for burst in bursts if burst.coverage >= WHOLE_IMAGE]


def moving_spans(shots: Sequence[Shot], bursts: Sequence[Span]) -> list[Span]:
    """The frames of `bursts` at which a shot begins by a wipe."""
    wipes = [shot.start for shot in shots if shot.transition == "wipe"]
    return [
        (first, end)
        for first, end in bursts
        if any(first - NEAR_FRAMES <= start <= end + NEAR_FRAMES for start in wipes)
    ]


def stays(track: MeasuredTrack, span: Span) -> bool:
    """Whether one face is seen in its place from the frame before a transition to the one after it: in an inset."""
    whole = track.whole
    first, end = span
    if whole.start >= first or whole.end <= end or any(first <= frame <= end for frame in track.divisions):
        return False
    before, after = np.searchsorted(whole.frames, [first - 1, end])
    boxes = whole.boxes[before : after + 1]
    if float((whole.scores[before : after + 1] > 0).mean()) < _MIN_SEEN:
        return False
    return bool((iou_matrix(boxes[:1], boxes) >= STAYS).all())


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
