"""Which panel of a split screen a face is in. Pure.

A straight line from edge to edge may also be a door post, and a single image does not show the difference. So a line
counts only if there are faces on both sides of it and none crosses it; then an error does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import PixelBox, PixelSpan, Shot

Boxes = NDArray[np.float64]

_CROSSING_SHARE = 0.2
"""of a box; a line that goes further into it crosses the face"""
_MAX_CROSSED_ROWS = 0.05
"""share of a face's boxes that may be crossed: boxes are not exact"""
_MAX_CROSSED_OTHERS = 0.2
"""share of the boxes of all other faces that may be crossed: a panel may cut a face off, of which the box shows all"""
_MAX_AROUND = 0.05
"""share of a face's boxes that may lie on either side of a line which the face does not move across"""
_MIN_COMPANY = 0.5
"""how long a face has to be visible on the other side, as a share of the time of this face"""
_MIN_FACES = 1.1
"""smallest side of a panel as a multiple of the same side of the face, as far as the picture shows it; a smaller panel
leaves no room for framing"""


def panel_around(face: Boxes, others: Sequence[Boxes], shot: Shot, active: PixelBox) -> PixelBox:
    """The part of the active picture that shows what a face belongs to, with even coordinates where a seam bounds it.

    face: (T, 4), at least one row; boxes of the face where it was seen, display px. others: the same of all other
    tracklets of the shot. active: the active picture of `shot`, display px.
    """
    x, y = [0, 2], [1, 3]
    x1, x2 = _between(face[:, x], [other[:, x] for other in others], shot.seams_x, active[0], active[2])
    y1, y2 = _between(face[:, y], [other[:, y] for other in others], shot.seams_y, active[1], active[3])
    return x1, y1, x2, y2


def _between(
    face: Boxes, others: Sequence[Boxes], seams: Sequence[PixelSpan], first: int, last: int
) -> tuple[int, int]:
    """Where the panel begins and ends along one axis. face, others: (T, 2), first and last px of the boxes."""
    begin, end = first, last
    for start, stop in seams:
        middle = (start + stop) / 2
        if _crossed(face, middle) > _MAX_CROSSED_ROWS * len(face) or any(_moves_across(o, middle) for o in others):
            continue
        if sum(_crossed(o, middle) for o in others) > _MAX_CROSSED_OTHERS * sum(map(len, others)):
            continue
        is_after = bool(np.median(face.mean(1)) > middle)
        company = sum(int(((other.mean(1) > middle) != is_after).sum()) for other in others)
        if company < _MIN_COMPANY * len(face):
            continue
        if is_after:
            begin = max(begin, -(-stop // 2) * 2)
        else:
            end = min(end, start // 2 * 2)
    size = float(np.median(np.minimum(face[:, 1], last) - np.maximum(face[:, 0], first)))
    return (begin, end) if end - begin >= _MIN_FACES * size else (first, last)


def _crossed(sides: Boxes, middle: float) -> int:
    """In how many rows a line goes through a face."""
    depth = np.minimum(middle - sides[:, 0], sides[:, 1] - middle)
    return int((depth > _CROSSING_SHARE * (sides[:, 1] - sides[:, 0])).sum())


def _moves_across(sides: Boxes, middle: float) -> bool:
    is_after = sides.mean(1) > middle
    return len(sides) > 0 and _MAX_AROUND < is_after.mean() < 1 - _MAX_AROUND
