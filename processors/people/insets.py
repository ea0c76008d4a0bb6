"""Who stays in one place while the image around them changes: in an inset, or in a panel beside another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.types import FaceAnalysis, Segment
from utils.images.box_geometry import STAYS, iou_matrix

_MIN_SEEN = 0.8
"""least share of the frames of a transition in which a face that stays is seen"""


def staying(analysis: FaceAnalysis, segments: Sequence[Segment]) -> set[tuple[str, int]]:
    """People, and the shots that begin by a wipe in which they are seen in their place from before it to after it.

    A dissolve may lead to another take of the same face in the same place, so those who stay in one are not told apart.
    """
    by_end = {(one.person, one.shot, one.end): one for one in segments}
    found = set()
    for after in segments:
        if analysis.shots[after.shot].transition == "wipe":
            before = by_end.get((after.person, after.shot - 1, after.start))
            if before is not None and _stays(analysis, before, after):
                found.add((after.person, after.shot))
    return found


def _stays(analysis: FaceAnalysis, before: Segment, after: Segment) -> bool:
    """Whether a face, of two segments that meet, is in one place from before a transition to after it."""
    first, end = analysis.shots[before.shot].unmixed[1] - 1, analysis.shots[after.shot].unmixed[0] + 1
    if not (before.start <= first and end <= after.end):
        return False
    by_id = analysis.tracklets_by_id
    tracklets = [by_id[i] for i in (*before.tracklets, *after.tracklets) if i in by_id]
    if not tracklets:
        return False
    rows = [(t.frames >= first) & (t.frames < end) & (t.scores > 0) for t in tracklets]
    frames = np.concatenate([t.frames[row] for t, row in zip(tracklets, rows, strict=True)])
    boxes = np.concatenate([t.boxes[row] for t, row in zip(tracklets, rows, strict=True)])
    if len(np.unique(frames)) < _MIN_SEEN * (end - first):
        return False
    return bool((iou_matrix(boxes[:1], boxes) >= STAYS).all())
