"""Boxes with hand-computed answers."""

import numpy as np

from utils.images.box_geometry import centered_windows, iou_matrix, largest_height

BOXES = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 20, 30]], np.float32)


def test_iou_matrix():
    iou = iou_matrix(BOXES, BOXES[:2])
    assert np.allclose(iou, [[1.0, 1 / 3], [1 / 3, 1.0], [0.0, 0.0]])
    assert iou_matrix(BOXES[:0], BOXES).shape == (0, 3)
    assert iou_matrix(BOXES[2:], BOXES[2:])[0, 0] == 0  # no area, no overlap, no warning


def test_windows_are_moved_into_the_frame():
    windows = centered_windows(np.array([[5.0, 50.0], [50, 50], [99, 99]]), np.array([20.0, 20, 40]), 0.5, 100, 100)
    assert np.allclose(windows, [[0, 40, 10, 60], [45, 40, 55, 60], [80, 60, 100, 100]])


def test_largest_height():
    assert largest_height(1, 1920, 1080) == 1080
    assert largest_height(16 / 9, 160, 1080) == 90
