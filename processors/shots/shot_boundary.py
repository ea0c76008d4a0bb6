"""The result of finding shots: boundaries, and the shots between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from core.types import ByteArray, Shot, Transition
from processors.shots.motion_burst import Burst


@dataclass(frozen=True, slots=True)
class ShotBoundary:
    """`frame` is the first one of the new shot; for a dissolve or wipe the first that shows more new than old.

    All of a fade from or to a flat image belongs to the shot that it shows.

    mixed: frames [first, end) around it that show both shots, in a dissolve; None if there are none, or they are not
    known.
    """

    frame: int
    transition: Literal["cut", "dissolve", "wipe"]
    mixed: tuple[int, int] | None = None


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
        first, last = before[1] - start if before else 0, end - after[0] if after else 0
        if first + last > end - start:  # it is never seen alone
            first = last = 0
        shots.append(Shot(i, start, end, transition, mixed_first=first, mixed_last=last))
    return tuple(shots)


def cut_frames(boundaries: Iterable[ShotBoundary]) -> list[int]:
    """The first frames after the cuts among `boundaries`."""
    return [boundary.frame for boundary in boundaries if boundary.transition == "cut"]
