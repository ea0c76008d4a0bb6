"""The result of finding shots: boundaries, and the shots between them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from core.types import ByteArray, Shot, Transition
from processors.shots.motion_burst import Burst

Span = tuple[int, int]
"""frames [first, end)"""

NEAR_FRAMES = 2
"""a wipe so near a burst belongs to it"""


@dataclass(frozen=True, slots=True)
class ShotBoundary:
    """`frame` is the first one of the new shot; for a dissolve or wipe the first that shows more new than old.

    All of a fade from or to a flat image belongs to the shot that it shows.

    mixed: frames [first, end) of the transition, which show both shots, or one of them and a flat colour; None if there
    are none.
    """

    frame: int
    transition: Transition
    mixed: Span | None = None


class ShotSource(Protocol):
    """Finds where shots begin, frame by frame."""

    @property
    def bursts(self) -> Sequence[Burst]:
        """The short runs of frames in which the image has changed far more than around them, wipes among them."""
        ...

    def update(self, image: ByteArray, *, is_cut: bool = False) -> list[ShotBoundary]:
        """Take the next frame, (h, w, 3) uint8 RGB; returns the boundaries that have become certain.

        is_cut: a new shot begins here, whatever the image shows.
        """
        ...

    def finish(self) -> list[ShotBoundary]:
        """Boundaries among the last frames; called once, after the last frame."""
        ...

    def shots(self, frame_count: int) -> tuple[Shot, ...]:
        """All shots of a video of `frame_count` frames; they cover [0, frame_count) without gaps."""
        ...


def shots_between(boundaries: Iterable[ShotBoundary], frame_count: int) -> tuple[Shot, ...]:
    """The shots of a video of `frame_count` frames; boundaries outside it are ignored."""
    if frame_count <= 0:
        return ()
    inner = sorted((b for b in boundaries if 0 < b.frame < frame_count), key=lambda b: b.frame)
    starts = [0, *(b.frame for b in inner)]
    ends = [*starts[1:], frame_count]
    transitions: list[Transition] = ["start", *(b.transition for b in inner)]
    mixed = [None, *(b.mixed for b in inner), None]
    shots = []
    for i, (start, end, transition) in enumerate(zip(starts, ends, transitions, strict=True)):
        before, after = mixed[i], mixed[i + 1]
        first, last = max(before[1] - start, 0) if before else 0, max(end - after[0], 0) if after else 0
        if first + last >= end - start:  # it is never seen alone
            first = last = 0
        shots.append(Shot(i, start, end, transition, mixed_first=first, mixed_last=last))
    return tuple(shots)


def with_boundaries(shots: Sequence[Shot], boundaries: Iterable[ShotBoundary]) -> tuple[Shot, ...]:
    """`shots`, which cover a video, with more `boundaries`; where a shot begins already, its transition gets longer."""
    known = {
        later.start: ShotBoundary(
            later.start, later.transition, (later.start - earlier.mixed_last, later.start + later.mixed_first)
        )
        for earlier, later in pairwise(shots)
    }
    for boundary in boundaries:
        one = known.setdefault(boundary.frame, boundary)
        known[boundary.frame] = replace(one, mixed=_union(one.mixed, boundary.mixed))
    starts = [shot.start for shot in shots]
    return tuple(
        replace(shot, active=whole.active, seams_x=whole.seams_x, seams_y=whole.seams_y)
        for shot in shots_between(known.values(), shots[-1].end if shots else 0)
        for whole in [shots[bisect_right(starts, shot.start) - 1]]
    )


def with_bursts(boundary: ShotBoundary, bursts: Iterable[Burst]) -> ShotBoundary:
    """A wipe whose transition lasts as long as the image moves: it may start and end slowly, between its own frames."""
    if boundary.transition != "wipe":
        return boundary
    mixed = boundary.mixed
    for burst in bursts:
        is_near = burst.first - NEAR_FRAMES <= boundary.frame <= burst.end + NEAR_FRAMES
        if is_near and burst.is_of_whole_image:
            mixed = _union(mixed, (burst.first, burst.end))
    return replace(boundary, mixed=mixed)


def _union(one: Span | None, other: Span | None) -> Span | None:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])


def cut_frames(boundaries: Iterable[ShotBoundary]) -> list[int]:
    """The first frames after the cuts among `boundaries`."""
    return [boundary.frame for boundary in boundaries if boundary.transition == "cut"]
