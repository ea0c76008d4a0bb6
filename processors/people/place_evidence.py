"""What the camera set-up says: whoever stands where somebody stood, in front of the same background, is probably them.

Dialogues go from A to B and back to A; a face lost behind a glass comes back in its place. Two looks belong to one
set-up if the small views of the frames match, at a shift of the camera that is tried out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from core.types import VIEW_HEIGHT, VIEW_WIDTH, FloatArray, Tracklet

_LOG_ODDS = 2.0
"""of the same place in a set-up that surely is the same. Of the labelled pairs in one set-up, 13 of 14 of one person
lay within a face's height and 1 of 10 of two people: log-odds of 2.2"""

_SOME_MATCH, _SURE_MATCH = 0.6, 0.8
"""correlations of two views between which the set-up goes from another one to the same"""

_REACH = 0.8
"""standard deviation of the distance, in face heights; and, doubled, of the logarithm of the ratio of sizes"""

_SHIFTS = tuple(itertools.product((-4, -2, 0, 2, 4), (-2, 0, 2)))
"""x and y, px of the view, by which the camera may have moved: an eighth of the frame to either side"""

_BLOCK_ROWS = 256


def place_log_odds(tracklets: Sequence[Tracklet], width: int, height: int) -> FloatArray:
    """(N, N) float32 >= 0: log-odds from set-up and place that two tracklets are one person.

    The diagonal means nothing. The first and the last look around each tracklet are compared.
    Time: O(N^2), 4 s for N = 2000.

    Args:
        tracklets: N of one video.
        width, height: of the frames, display px.
    """
    found = np.zeros((len(tracklets), len(tracklets)), np.float32)
    owners = np.array([k for k, t in enumerate(tracklets) for _ in _looks(t)], np.int64)
    if len(owners) == 0:
        return found
    views = np.stack([t.views[row] for t in tracklets for row in _looks(t)])
    boxes = np.stack([t.boxes[np.searchsorted(t.frames, t.look_frames[row])] for t in tracklets for row in _looks(t)])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sizes = np.log(np.maximum(boxes[:, 3] - boxes[:, 1], 1))
    grid = views.reshape(-1, VIEW_HEIGHT, VIEW_WIDTH).astype(np.float32)
    scale = np.array([width / VIEW_WIDTH, height / VIEW_HEIGHT])
    for shift in _SHIFTS:
        ours, theirs = _normalised(grid, shift), _normalised(grid, (-shift[0], -shift[1]))
        moved = centres - np.array(shift) * scale
        for begin in range(0, len(owners), _BLOCK_ROWS):
            correlation = ours[begin : begin + _BLOCK_ROWS] @ theirs.T
            a, b = np.nonzero(correlation > _SOME_MATCH)
            match = np.minimum((correlation[a, b] - _SOME_MATCH) / (_SURE_MATCH - _SOME_MATCH), 1)
            a += begin
            distance = np.linalg.norm(moved[a] - centres[b], axis=1) / np.exp((sizes[a] + sizes[b]) / 2)
            growth = sizes[a] - sizes[b]
            near = np.exp(-(distance**2 + (2 * growth) ** 2) / (2 * _REACH**2))
            np.maximum.at(found, (owners[a], owners[b]), (_LOG_ODDS * match * near).astype(np.float32))
    return np.asarray(np.maximum(found, found.T), np.float32)


def _looks(tracklet: Tracklet) -> list[int]:
    """Rows of the first and the last look."""
    count = len(tracklet.look_frames) if tracklet.views.shape[1:] == (VIEW_WIDTH * VIEW_HEIGHT,) else 0
    return sorted({0, count - 1}) if count else []


def _normalised(grid: FloatArray, shift: tuple[int, int]) -> FloatArray:
    """(M, P) float32 of mean 0 and length 1: the part of each view that stays when it moves by `shift`, x and y px."""
    x, y = shift
    part = grid[:, max(y, 0) : VIEW_HEIGHT + min(y, 0), max(x, 0) : VIEW_WIDTH + min(x, 0)].reshape(len(grid), -1)
    part = part - part.mean(1, keepdims=True)
    return np.asarray(part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-6), np.float32)
