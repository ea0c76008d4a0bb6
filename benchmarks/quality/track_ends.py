"""How exactly the tracks of a run begin and end: in frames, per true stretch of a face.

A true stretch is a run of annotated frames in which a person's face is demanded. Before and after it the face may
be do-not-care (half outside the frame, in a dissolve, small): a track may begin and end anywhere in that time. Where
only every n-th frame is annotated, it may also begin and end in the frames between. Two
stretches with a short absence between them, within one shot, are one: a face hidden for a moment ends no track.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tests.material.scoring import Labelled, box_overlap, matched, split_demanded

SAME_FACE_IOU = 0.3
"""overlap of two boxes of one face in neighbouring annotated frames, at least"""

HELD_IOU = 0.1
"""the same for a found face from one frame to the next: small faces move by more than half of their size"""

MISSED = 10_000
"""stands for the error of a stretch of which no face was found"""


@dataclass(frozen=True, slots=True)
class EndErrors:
    """Frames per true stretch, signed: late is positive, early is negative, 0 is right."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __add__(self, other: EndErrors) -> EndErrors:
        return EndErrors(self.starts + other.starts, self.ends + other.ends)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """[first, last] demanded frames; the face may be there from `earliest` to `latest`. All are annotated frames
    but `earliest` and `latest`."""

    person: str
    first: int
    last: int
    earliest: int
    latest: int


def end_errors(
    truth: Mapping[int, Labelled],
    found: Mapping[int, Labelled],
    *,
    cuts: Collection[int] = (),
    absence: float = 0,
    iou: float = 0.5,
    min_height: float = 0,
) -> EndErrors:
    """Errors of the starts and ends of all true stretches, in order of person and time.

    Args:
        found: all frames of the run; faces that are hidden should not be among them.
        cuts: true first frames of shots.
        absence: longest that a face may be hidden without ending its stretch, frames.
        iou: from which a found box is the true face.
        min_height: true faces lower than this are not demanded, px.
    """
    hits: dict[tuple[str, int], tuple[str, NDArray[np.float64]]] = {}
    for frame, faces in truth.items():
        wanted, _ = split_demanded(faces, min_height)
        given = found.get(frame, [])
        for i, j in matched(wanted, given, iou):
            hits[wanted[i][0], frame] = given[j]
    annotated = sorted(truth)
    starts, ends = [], []
    for stretch in _joined(_stretches(truth, annotated, min_height, cuts), cuts, absence):
        inside = [f for f in annotated if stretch.first <= f <= stretch.last]
        seen = [f for f in inside if (stretch.person, f) in hits]
        if not seen:
            starts.append(MISSED)
            ends.append(-MISSED)
            continue
        begin = _held(found, seen[0], *hits[stretch.person, seen[0]], cuts, step=-1)
        end = _held(found, seen[-1], *hits[stretch.person, seen[-1]], cuts, step=1)
        # A track that is held while its box is wrong counts from where the box is right.
        begin = max(begin, max((f + 1 for f in inside if f < seen[0]), default=begin))
        end = min(end, min((f - 1 for f in inside if f > seen[-1]), default=end))
        starts.append(max(begin - stretch.first, 0) + min(begin - stretch.earliest, 0))
        ends.append(min(end - stretch.last, 0) + max(end - stretch.latest, 0))
    return EndErrors(tuple(starts), tuple(ends))


def summary(errors: Iterable[int]) -> tuple[float, float]:
    """Median and 95th percentile of the sizes of errors; (0, 0) where there are none."""
    sizes = np.abs(list(errors))
    return (float(np.median(sizes)), float(np.percentile(sizes, 95))) if len(sizes) else (0.0, 0.0)


def _stretches(
    truth: Mapping[int, Labelled], annotated: Sequence[int], min_height: float, cuts: Collection[int]
) -> list[_Stretch]:
    demanded: dict[str, dict[int, NDArray[np.float64]]] = {}
    for position, frame in enumerate(annotated):
        for person, box in split_demanded(truth[frame], min_height)[0]:
            demanded.setdefault(person, {})[position] = box
    shot = np.searchsorted(sorted(cuts), annotated, side="right")
    stretches = []
    for person, boxes in sorted(demanded.items()):
        positions = np.array(sorted(boxes))
        ends_here = (np.diff(positions) > 1) | (np.diff(shot[positions]) > 0)
        for run in np.split(positions, np.flatnonzero(ends_here) + 1):
            first, last = int(run[0]), int(run[-1])
            before = _free(truth, annotated, first, boxes[first], min_height, step=-1)
            after = _free(truth, annotated, last, boxes[last], min_height, step=1)
            earliest = annotated[before - 1] + 1 if before else 0
            latest = annotated[after + 1] - 1 if after + 1 < len(annotated) else MISSED
            stretches.append(_Stretch(person, annotated[first], annotated[last], earliest, latest))
    return stretches


def _joined(stretches: Sequence[_Stretch], cuts: Collection[int], absence: float) -> list[_Stretch]:
    """The stretches with short absences filled."""
    joined: list[_Stretch] = []
    for stretch in stretches:
        before = joined[-1] if joined and joined[-1].person == stretch.person else None
        near = before is not None and stretch.earliest - before.latest - 1 <= absence
        if before is not None and near and not any(before.last < cut <= stretch.first for cut in cuts):
            joined[-1] = replace(before, last=stretch.last, latest=stretch.latest)
        else:
            joined.append(stretch)
    return joined


def _free(
    truth: Mapping[int, Labelled],
    annotated: Sequence[int],
    position: int,
    box: NDArray[np.float64],
    min_height: float,
    *,
    step: int,
) -> int:
    """The farthest position from `position` on to which the face at `box` goes on without being demanded."""
    while 0 <= position + step < len(annotated):
        others = split_demanded(truth[annotated[position + step]], min_height)[1]
        overlap = box_overlap([box], others)
        if not others or overlap.max() < SAME_FACE_IOU:
            break
        box = others[int(overlap.argmax())]
        position += step
    return position


def _held(
    found: Mapping[int, Labelled],
    frame: int,
    person: str,
    box: NDArray[np.float64],
    cuts: Collection[int],
    *,
    step: int,
) -> int:
    """The farthest frame from `frame` on to which the run keeps `person` where `box` was, within the shot."""
    while (frame if step < 0 else frame + 1) not in cuts:
        boxes = [other for name, other in found.get(frame + step, []) if name == person]
        overlap = box_overlap([box], boxes)
        if not boxes or overlap.max() < HELD_IOU:
            return frame
        box = boxes[int(overlap.argmax())]
        frame += step
    return frame
