"""A stretch of a track: consecutive frames in which one face has one appearance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from processors.faces.face_sampler import FaceSample, FaceSampler
from processors.faces.track_division import ALIKE_AFTER_SWITCH, Transition

STRETCH_SAMPLES = 3
"""samples kept of a stretch, and of each end of several that have become one"""

ALIKE = 0.75
"""correlation from which two looks are the same face's without asking the embedder. A third of a second apart, 60 % of
one person's have more; two people's have at most 0.58 after a loss or a jump, and 0.79 in one of 25 dissolves"""


@dataclass(slots=True, eq=False)
class Stretch:
    """Consecutive frames in which one face is seen.

    first, last: frames in which it was looked at. sampler: the best of all its faces, and the portrait.
    head, tail: its earliest and latest samples, for comparisons with the stretches around it.
    begin: the frame with which it begins, which may lie before `first`, since not every frame is looked at.
    transition: how it begins. starts_person: known to show somebody else than the stretch before. starts_part: a
    dissolve or wipe is between them.
    """

    first: int
    last: int
    sampler: FaceSampler
    transition: Transition = Transition.CONTINUED
    head: list[FaceSample] = field(default_factory=list)
    tail: list[FaceSample] = field(default_factory=list)
    starts_person: bool = False
    starts_part: bool = False
    begin: int | None = None

    def set_ends(self) -> None:
        """Set `head` and `tail` from all samples."""
        near = self.sampler.samples
        self.head, self.tail = near[:STRETCH_SAMPLES], near[-STRETCH_SAMPLES:]

    def end_samples(self) -> list[FaceSample]:
        """Samples of both ends, in order of time."""
        return sorted({id(s): s for s in (*self.head, *self.tail)}.values(), key=lambda s: s.frame)


def split(stretch: Stretch, frame: int, sampler: FaceSampler) -> tuple[Stretch, Stretch]:
    """The parts of a stretch before and from `frame`, which lies in it. sampler: an empty one, for the second."""
    later = Stretch(frame, stretch.last, sampler)
    stretch.last = frame - 1
    stretch.sampler.hand_over(frame, sampler)
    return stretch, later


def look_alike(before: Stretch, after: Stretch) -> bool:
    """Whether two stretches are one person's at a glance; `after` has samples."""
    if not before.tail:
        return False
    # In continuous view any earlier look of this person will do; after a loss or a jump only the latest ones.
    known = before.sampler.samples if after.transition is Transition.CONTINUED else []
    looks = np.stack([s.look for s in (*before.tail, *known)]) @ np.stack([s.look for s in after.head]).T
    return float(looks.max()) >= (ALIKE_AFTER_SWITCH if after.transition is Transition.SWITCHED else ALIKE)


def join(before: Stretch, after: Stretch) -> None:
    """Make `after` a part of `before`."""
    before.last = after.last
    before.sampler.absorb(after.sampler)
    if not before.head:
        before.head = after.head
    before.tail = (after.tail if len(after.tail) >= STRETCH_SAMPLES else [*before.tail, *after.tail])[-STRETCH_SAMPLES:]
