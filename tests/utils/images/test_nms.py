"""Non-maximum suppression against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from utils.images.nms import non_maximum_suppression


def overlap(a: NDArray[np.float32], b: NDArray[np.float32], over_smaller: bool) -> float:
    one = 1 if over_smaller else 0  # facenet-pytorch counts whole pixels there
    size = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]) + one, 0, None)
    areas = [float((box[2:] - box[:2] + one).prod()) for box in (a, b)]
    shared = float(size.prod())
    return shared / min(areas) if over_smaller else shared / (sum(areas) - shared)


def by_definition(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], group: NDArray[np.int64], threshold: float, smaller: bool
) -> list[int]:
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable"):
        rivals = [k for k in kept if group[k] == group[row]]
        if all(overlap(boxes[k], boxes[row], smaller) <= threshold for k in rivals):
            kept.append(int(row))
    return kept


@pytest.mark.parametrize("smaller", [False, True])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_it_keeps_what_the_definition_keeps(threshold: float, smaller: bool) -> None:
    random = np.random.RandomState(round(threshold * 10))
    corner, size = random.uniform(0, 100, (20, 2)), random.uniform(30, 60, (20, 2))
    boxes = np.repeat(np.concatenate([corner, corner + size], 1), 6, 0).astype(np.float32)
    boxes += random.uniform(-4, 4, boxes.shape).astype(np.float32)
    scores, group = random.rand(120).astype(np.float32), random.randint(0, 3, 120).astype(np.int64)
    kept = non_maximum_suppression(boxes, scores, group, threshold, over_smaller=smaller)
    assert kept.dtype == np.int64
    assert kept.tolist() == by_definition(boxes, scores, group, threshold, smaller)
    assert 3 < len(kept) < 120


@pytest.mark.parametrize("smaller", [False, True])
def test_the_best_comes_first(smaller: bool) -> None:
    boxes = np.array([[0, 0, 10, 10], [50, 0, 60, 10], [0, 50, 10, 60]], np.float32)
    scores = np.array([0.2, 0.9, 0.5], np.float32)
    kept = non_maximum_suppression(boxes, scores, np.zeros(3, np.int64), 0.5, over_smaller=smaller)
    assert kept.tolist() == [1, 2, 0]


@pytest.mark.parametrize("smaller", [False, True])
def test_equal_boxes_of_different_images_both_stay(smaller: bool) -> None:
    boxes, scores = np.array([[0, 0, 10, 10]] * 3, np.float32), np.array([0.9, 0.8, 0.7], np.float32)
    kept = non_maximum_suppression(boxes, scores, np.array([0, 1, 0]), 0.5, over_smaller=smaller)
    assert kept.tolist() == [0, 1]


def test_a_small_box_inside_a_large_one_goes_only_by_the_smaller_area() -> None:
    boxes, scores = np.array([[0, 0, 100, 100], [40, 40, 60, 60]], np.float32), np.array([0.9, 0.8], np.float32)
    group = np.zeros(2, np.int64)
    assert non_maximum_suppression(boxes, scores, group, 0.7).tolist() == [0, 1]
    assert non_maximum_suppression(boxes, scores, group, 0.7, over_smaller=True).tolist() == [0]


@pytest.mark.parametrize("smaller", [False, True])
def test_nothing_gives_nothing(smaller: bool) -> None:
    empty = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
    kept = non_maximum_suppression(*empty, 0.5, over_smaller=smaller)
    assert kept.dtype == np.int64 and len(kept) == 0
