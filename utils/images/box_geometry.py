"""Pure functions on boxes and windows: xyxy, corner coordinates, any unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Window = tuple[float, float, float, float] | NDArray[np.float64]
"""x1, y1, x2, y2"""

Boxes = NDArray[Any]
"""(N, 4) floating, xyxy"""

_SAME_FACE = 0.5
"""least IoU of two boxes in one frame that lie on one face"""
STAYS = 0.5
"""least IoU of a face's boxes in two frames between which it stayed where it was"""
_NESTED = 0.7
"""least share of the smaller of two boxes inside the other that makes them one face: boxes on large or half-hidden
faces may be twice as large as they should be"""
_APART_FRAMES = 3
"""frames apart, or all that two tracks have in common, that make two faces; a tracker may err for a moment"""


def iou_matrix(a: Boxes, b: Boxes) -> NDArray[Any]:
    """Intersection over union of every box of `a` (N, 4) with every box of `b` (M, 4): (N, M) in [0, 1].

    Boxes without area overlap nothing.
    """
    upper_left = np.maximum(a[:, None, :2], b[None, :, :2])
    lower_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    intersection = np.prod(np.clip(lower_right - upper_left, 0, None), axis=2)
    union = box_areas(a)[:, None] + box_areas(b)[None, :] - intersection
    return np.asarray(intersection / np.maximum(union, np.finfo(np.float32).tiny))


def box_areas(boxes: Boxes) -> NDArray[Any]:
    """(N,) areas; 0 for inverted boxes."""
    return np.asarray(np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1))


def clipped(boxes: Boxes, area: Sequence[float]) -> Boxes:
    """(N, 4) the parts of the boxes that lie in `area` (xyxy); a box outside becomes empty."""
    return np.asarray(np.clip(boxes, np.tile(area[:2], 2), np.tile(area[2:], 2)), boxes.dtype)


def visible_shares(boxes: Boxes, area: Sequence[float]) -> NDArray[Any]:
    """(N,) in [0, 1]: the share of each box that lies in `area`, xyxy; 0 of boxes without area."""
    return np.asarray(box_areas(clipped(boxes, area)) / np.maximum(box_areas(boxes), np.finfo(np.float32).tiny))


def on_one_face(a: Boxes, b: Boxes) -> NDArray[np.bool_]:
    """(T,) bool: whether the boxes of each row of two (T, 4) arrays lie on one face, by their overlap."""
    inner = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None).prod(1)
    sizes = np.stack([box_areas(a), box_areas(b)])
    union = np.maximum(sizes.sum(0) - inner, 1e-9)
    on_one = (inner >= _SAME_FACE * union) | (inner >= _NESTED * np.maximum(sizes.min(0), 1e-9))
    return np.asarray(on_one, np.bool_)


def are_two_faces(a: Boxes, b: Boxes) -> bool:
    """Whether two tracks lie on two faces. a, b: (T, 4) boxes of both in the frames that they have in common."""
    apart = ~on_one_face(a, b)
    return bool(apart.any() and apart.sum() >= min(_APART_FRAMES, len(apart)))


def are_apart(boxes: Boxes, others: Boxes, overlap: float) -> NDArray[np.bool_]:
    """(N,) which boxes, (N, 4), have an IoU under `overlap` with each of `others`, (M, 4)."""
    return np.asarray((iou_matrix(boxes, others) < overlap).all(1))


def scaled_boxes(boxes: Boxes, scale: float) -> Boxes:
    """(N, 4) the boxes enlarged by `scale` around their centres."""
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, scale * (boxes[:, 2:] - boxes[:, :2]) / 2
    return np.asarray(np.concatenate([centre - half, centre + half], 1), boxes.dtype)


def centered_windows(
    centers: NDArray[np.float64], heights: NDArray[np.float64], aspect: float, width: float, height: float
) -> NDArray[np.float64]:
    """Windows of exactly this aspect ratio (w / h) around centers, moved if necessary to lie inside a frame.

    centers: (N, 2) xy. heights: (N,), each at most `largest_height`. width, height: of the frame. Returns (N, 4) xyxy.
    """
    half = np.stack([heights * aspect, heights], 1) / 2
    limits = np.array([width, height])
    inside = np.clip(centers, half, np.maximum(limits - half, half))
    return np.concatenate([inside - half, inside + half], 1)


def largest_height(aspect: float, width: float, height: float) -> float:
    """Height of the largest window of aspect ratio `aspect` (w / h) that fits into a frame."""
    return min(float(height), width / aspect)
