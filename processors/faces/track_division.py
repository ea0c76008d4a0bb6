"""Where a track goes over from one person to another: pure functions on its samples, boxes and frames.

A track is one person until the faces before and after some moment are clearly two people's. "Clearly": of the samples
nearest to that moment no pair looks alike, while on each side some do. Turning the head changes a face by and by, so
that neighbours always resemble each other; blur and bad light make faces unlike on both sides of every moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from core.models.similarity import Similarity
from core.types import FloatArray
from processors.tracking.row_buffer import RowBuffer
from utils.box_geometry import iou_matrix

WINDOW = 4
"""samples on each side of a moment that are compared"""

MIN_SAMPLES = 2
"""fewer on one side say too little"""

MIN_SAME_PERSON = 0.3
"""least similarity of the best pair on each side of a moment at which two people meet"""


class Transition(Enum):
    """How a stretch begins. The value is the greatest similarity of all pairs across it at which two people meet there.

    Measured on the development clips with three samples a second, dlib's embedder: two people in continuous view 0.001,
    19 to 30 px high 0.05 to 0.17; one person who is looked at continuously 0.07 or more, but 0.005 where the landmarks
    went wrong; one who was hidden 0.11 or more.
    """

    CONTINUED = 0.002
    JUMPED = 0.06
    """box or appearance changed at once, or the face was lost and found again in the same place"""
    FOUND_ELSEWHERE = 0.2
    """the face was lost and found again with another box"""


def division_points(
    embeddings: FloatArray, stretches: Sequence[int], transitions: Sequence[Transition], similarity: Similarity
) -> list[int]:
    """The stretches with which another person begins, in order.

    embeddings: (N, D) float32 rows of unit length, samples of one track in order of time. stretches: (N,) the stretch
    that each is from, not falling. transitions: how each stretch begins.
    """
    if len(embeddings) < 2 * MIN_SAMPLES:
        return []
    likeness = similarity.from_cosine(np.asarray(embeddings @ embeddings.T, np.float32))
    limits = {k: transitions[stretches[k]].value for k in range(1, len(stretches)) if stretches[k] != stretches[k - 1]}
    return [stretches[k] for k in sorted(_divide(likeness, limits, 0, len(stretches)))]


def _divide(likeness: NDArray[np.float32], limits: Mapping[int, float], first: int, end: int) -> list[int]:
    """Samples of [first, end) with which another person begins: the clearest one, then those on both sides of it.

    limits: greatest similarity across each sample with which a stretch begins.
    """
    found = []
    for start, limit in limits.items():
        if first + MIN_SAMPLES <= start <= end - MIN_SAMPLES:
            before, after = slice(max(start - WINDOW, first), start), slice(start, min(start + WINDOW, end))
            across = float(likeness[before, after].max())
            within = min(float(np.triu(likeness[side, side], 1).max()) for side in (before, after))
            if across <= limit and within >= MIN_SAME_PERSON:
                found.append((across / limit, start))
    if not found:
        return []
    _, best = min(found)
    return [*_divide(likeness, limits, first, best), best, *_divide(likeness, limits, best, end)]


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
