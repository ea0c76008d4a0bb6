"""Finds the moments at which a track passes from one person to another, from its samples, boxes and frames.

A track is one person unless the faces before and after some moment clearly belong to two: of the samples nearest to
that moment no pair across it is similar, while on each side some pair is. A head that turns changes gradually, so its
neighbouring samples are always similar; blur and bad light make faces dissimilar on both sides of every moment. One
similar pair settles a moment, so most of them cost a comparison of small images or two embeddings (`sample_likeness`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import numpy as np

from core.models.change_limits import ChangeLimit, ChangeLimits
from processors.faces.sample_likeness import ALIKE_AT_A_GLANCE, SampleLikeness
from processors.tracking.row_buffer import RowBuffer
from utils.images.box_geometry import iou_matrix

WINDOW = 4
"""samples on each side of a moment that are compared"""

ALIKE_AFTER_SWITCH = 0.85
"""correlation of looks that is enough after a switch; two people in one place and pose have up to 0.78"""

MIN_SAMPLES = 2
"""fewer on one side say too little, except where a face was found elsewhere"""


class Transition(Enum):
    """How a stretch begins; what two people who meet there look like depends on it (`ChangeLimits`)."""

    CONTINUED = "continued"
    JUMPED = "jumped"
    """box or appearance changed at once, in continuous view"""
    SWITCHED = "switched"
    """appearance changed at once, in continuous view, and far more than before and after (`sudden_change`)"""
    FOUND_AGAIN = "found_again"
    """the face was lost for a moment and found again in the same place"""
    FOUND_ELSEWHERE = "found_elsewhere"
    """the face was lost and found again with another box, or so late that its place says little"""
    DISSOLVED = "dissolved"
    """the image around the face dissolved to another one"""

    def limit(self, limits: ChangeLimits) -> ChangeLimit:
        """The one of `limits` that holds for it."""
        if self is Transition.DISSOLVED:
            # Here, too, only its place suggests that the face is the one that was there before.
            return limits.found_elsewhere
        found: ChangeLimit = getattr(limits, self.value)
        return found

    @property
    def min_samples(self) -> int:
        """Samples on each side without which the faces are not compared."""
        # Only its place suggests that a face found elsewhere is the one that was lost.
        return 1 if self in (Transition.FOUND_ELSEWHERE, Transition.DISSOLVED) else MIN_SAMPLES

    @property
    def window(self) -> int:
        """Samples on each side that are compared."""
        # As many as are kept of the end of a stretch: earlier ones may be from before another change.
        return WINDOW - 1 if self is Transition.SWITCHED else WINDOW


_REPLACEMENTS = {
    Transition.DISSOLVED: (Transition.DISSOLVED,),
    Transition.SWITCHED: (Transition.SWITCHED, Transition.DISSOLVED),
}
"""transitions that replace a face, and the others beyond which faces are not asked"""


def division_points(
    likeness: SampleLikeness, stretches: Sequence[int], transitions: Sequence[Transition], limits: ChangeLimits
) -> list[int]:
    """The stretches with which another person begins, in order.

    likeness: of N samples of one track. stretches: (N,) the stretch that each is from, not falling. transitions: how
    each stretch begins. limits: of the embedder.
    """
    count = len(stretches)
    starts = {k: transitions[stretches[k]] for k in range(1, count) if stretches[k] != stretches[k - 1]}
    sides = [
        around
        for start in starts
        if (around := _sides(start, starts, 0, count)) and not _is_settled(likeness, starts[start], around)
    ]
    likeness.embed_one_of_each([side for around in sides for side in around])
    return [stretches[k] for k in sorted(_divide(likeness, starts, limits, 0, count))]


def _is_settled(likeness: SampleLikeness, transition: Transition, around: tuple[slice, slice]) -> bool:
    """Whether a glance shows that the faces on both sides are one person's."""
    return likeness.look_alike(*around, ALIKE_AFTER_SWITCH if transition is Transition.SWITCHED else ALIKE_AT_A_GLANCE)


def _divide(
    likeness: SampleLikeness, starts: Mapping[int, Transition], limits: ChangeLimits, first: int, end: int
) -> list[int]:
    """Samples of [first, end) with which another person begins: the clearest one, then those on both sides of it.

    starts: the samples with which stretches begin, and how.
    """
    found = []
    for start, transition in starts.items():
        limit = transition.limit(limits)
        around = _sides(start, starts, first, end)
        if around is None or _is_settled(likeness, transition, around):
            continue
        # Small images of two people in one place and pose may look alike, so none stands in for another.
        among = slice(first, first) if transition is Transition.SWITCHED else slice(first, end)
        across = likeness.across(*around, limit.max_across, among)
        if across <= limit.max_across and min(map(likeness.within, around)) >= limit.min_within:
            found.append((across / limit.max_across, start))
    if not found:
        return []
    _, best = min(found)
    return [*_divide(likeness, starts, limits, first, best), best, *_divide(likeness, starts, limits, best, end)]


def _sides(start: int, starts: Mapping[int, Transition], first: int, end: int) -> tuple[slice, slice] | None:
    """The samples of [first, end) that are compared before and after `start`; None if a side has too few."""
    least = starts[start].min_samples
    if (neighbours := _REPLACEMENTS.get(starts[start])) is not None:
        # Somebody who was replaced may be back with the next dissolve or cut.
        others = [k for k, transition in starts.items() if transition in neighbours]
        first = max([first, *(k for k in others if k <= start - least)])
        end = min([end, *(k for k in others if k >= start + least)])
    if not first + least <= start <= end - least:
        return None
    window = starts[start].window
    return slice(max(start - window, first), start), slice(start, min(start + window, end))


def division_frame(frames: Sequence[int], boxes: RowBuffer, last_before: int, first_after: int) -> int:
    """With which frame of a track the other person begins.

    It lies after `last_before` and not after `first_after`: where the face was away for longest or, if it never was,
    where its box moved most. A face that came back was followed backwards, so it is there before it was first seen.

    frames: of the track, increasing. boxes: rows (4,) of the same length.
    """
    first, end = int(np.searchsorted(frames, last_before)), int(np.searchsorted(frames, first_after))
    if end - first < 1:
        return first_after

    def break_after(row: int) -> tuple[int, float]:
        overlap = float(iou_matrix(boxes[row][None], boxes[row + 1][None])[0, 0])
        return frames[row + 1] - frames[row], -overlap

    return int(frames[max(range(first, end), key=break_after) + 1])
