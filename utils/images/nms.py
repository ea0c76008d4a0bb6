"""Non-maximum suppression for several images at once."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def non_maximum_suppression(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    group: NDArray[np.int64],
    threshold: float,
    *,
    over_smaller: bool = False,
) -> NDArray[np.int64]:
    """Greedy suppression: of boxes in one group that overlap too much only the one with the best score stays.

    Args:
        boxes: (N, 4) float32 xyxy.
        scores: (N,) float32.
        group: (N,) int64, the image of each box.
        threshold: overlap above which the box with the lower score is dropped.
        over_smaller: overlap is intersection over the smaller box instead of over the union, with sides counted in
            whole pixels, as facenet-pytorch does in its last step.

    Returns:
        (K,) int64, the rows that stay, best score first.
    """
    if len(boxes) == 0:
        return np.zeros(0, np.int64)
    if over_smaller:
        return _over_smaller(boxes, scores, group, threshold)
    sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1).astype(np.float64)
    keep = cv2.dnn.NMSBoxesBatched(sized, scores, group.astype(np.int32), -1.0, threshold)  # type: ignore[arg-type]
    rows = np.asarray(keep, np.int64).ravel()
    return rows[np.argsort(-scores[rows], kind="stable")]


def _over_smaller(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], group: NDArray[np.int64], threshold: float
) -> NDArray[np.int64]:
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    area = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1)
    overlap = np.clip(high - low + 1, 0, None).prod(2) / np.minimum(area[:, None], area[None, :])
    clash = (overlap > threshold) & (group[:, None] == group[None, :])
    alive = np.ones(len(boxes), bool)
    keep = []
    for row in np.argsort(-scores, kind="stable"):
        if alive[row]:
            keep.append(row)
            alive &= ~clash[row]
    return np.array(keep, np.int64)
