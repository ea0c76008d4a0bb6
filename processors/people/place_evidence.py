"""What the camera set-up says: whoever stands where somebody stood, in front of the same background, is probably them.

Dialogues go from A to B and back to A; a face lost behind a glass comes back in its place. Two looks belong to one
set-up if the small views of the frames match, at a shift of the camera that is tried out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from core.types import VIEW_HEIGHT, VIEW_WIDTH, ByteArray, FloatArray, Tracklet

_LOG_ODDS = 2.0
"""of the same place in a set-up that surely is the same. Of the labelled pairs in one set-up, 13 of 14 of one person
lay within a face's height and 1 of 10 of two people: log-odds of 2.2"""

_SOME_MATCH, _SURE_MATCH = 0.6, 0.8
"""correlations of two views between which the set-up goes from another one to the same"""

_REACH = 0.8
"""standard deviation of the distance, in face heights; and, doubled, of the logarithm of the ratio of sizes"""

_SHIFTS = tuple(itertools.product((-4, -2, 0, 2, 4), (-2, 0, 2)))
"""x and y, px of the view, by which the camera may have moved: an eighth of the frame to either side"""


class PlaceEvidence:
    """What set-up and place say about whether every two of N tracklets are one person.

    The first and the last look around each tracklet are compared. Time: O(N^2), 2.5 s for N = 2000.
    """

    def __init__(self, tracklets: Sequence[Tracklet], width: int, height: int) -> None:
        """tracklets: of one video. width, height: of its frames, display px."""
        looks = [(t, row) for t in tracklets for row in _looks(t)]
        boxes = [t.boxes[np.searchsorted(t.frames, t.look_frames[row])] for t, row in looks]
        corners = np.array(boxes, np.float32).reshape(-1, 4)
        self._owners = np.array([k for k, t in enumerate(tracklets) for _ in _looks(t)], np.int64)
        self._centres = (corners[:, :2] + corners[:, 2:]) / 2
        self._sizes = np.log(np.maximum(corners[:, 3] - corners[:, 1], 1))
        self._views = np.array([t.views[row] for t, row in looks], np.uint8).reshape(-1, VIEW_HEIGHT, VIEW_WIDTH)
        self._scale = np.array([width / VIEW_WIDTH, height / VIEW_HEIGHT])
        self._row_views: tuple[slice, list[FloatArray]] | None = None

    def block(self, rows: slice, columns: slice) -> FloatArray:
        """(R, C) float32 >= 0: what is said of the tracklets of two slices with each other."""
        found = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
        ours, theirs = self._looks_of(rows), self._looks_of(columns)
        if ours.start == ours.stop or theirs.start == theirs.stop:
            return found
        if self._row_views is None or self._row_views[0] != ours:
            # Kept, because the blocks of one row come one after the other.
            self._row_views = ours, [_normalised(self._views[ours], shift) for shift in _SHIFTS]
        views = self._views[theirs]
        for shift, normalised in zip(_SHIFTS, self._row_views[1], strict=True):
            correlation = normalised @ _normalised(views, (-shift[0], -shift[1])).T
            a, b = np.nonzero(correlation > _SOME_MATCH)
            match = np.minimum((correlation[a, b] - _SOME_MATCH) / (_SURE_MATCH - _SOME_MATCH), 1)
            a, b = a + ours.start, b + theirs.start
            moved = self._centres[a] - np.array(shift) * self._scale
            distance = np.linalg.norm(moved - self._centres[b], axis=1)
            distance /= np.exp((self._sizes[a] + self._sizes[b]) / 2)
            growth = self._sizes[a] - self._sizes[b]
            near = np.exp(-(distance**2 + (2 * growth) ** 2) / (2 * _REACH**2))
            pair = (self._owners[a] - rows.start, self._owners[b] - columns.start)
            np.maximum.at(found, pair, (_LOG_ODDS * match * near).astype(np.float32))
        return found

    def _looks_of(self, tracklets: slice) -> slice:
        first, last = np.searchsorted(self._owners, (tracklets.start, tracklets.stop)).tolist()
        return slice(first, last)


def _looks(tracklet: Tracklet) -> list[int]:
    """Rows of the first and the last look."""
    count = len(tracklet.look_frames) if tracklet.views.shape[1:] == (VIEW_WIDTH * VIEW_HEIGHT,) else 0
    return sorted({0, count - 1}) if count else []


def _normalised(views: ByteArray, shift: tuple[int, int]) -> FloatArray:
    """(M, P) float32 of mean 0 and length 1: the part of each view that stays when it moves by `shift`, x and y px."""
    x, y = shift
    part = views[:, max(y, 0) : VIEW_HEIGHT + min(y, 0), max(x, 0) : VIEW_WIDTH + min(x, 0)].astype(np.float32)
    part = part.reshape(len(views), -1)
    part -= part.mean(1, keepdims=True)
    part /= np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-6)
    return part
