"""Which pixels the networks see."""

from __future__ import annotations

import numpy as np
import pytest

from processors.speech.mouth_region import face_image, mouth_image, smoothed_boxes


def ramp(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Brightness tells the column (0 to 200) in the upper half, and nothing else."""
    return np.tile(np.linspace(0, 200, width), (height, 1)).astype(np.uint8)


@pytest.mark.parametrize("scale", [0.5, 1, 4])
def test_the_region_is_the_trained_one(scale: float) -> None:
    width, height = int(400 * scale), int(300 * scale)
    box = np.array([150, 100, 230, 200]) * scale
    mouth = mouth_image(ramp(height, width), box)
    half, centre = 50 * scale, 190 * scale
    wanted = 200 * (centre + 0.7 * half * np.array([-1, 1])) / width
    assert mouth.shape == (112, 112) and mouth[:, [0, -1]].mean(0) == pytest.approx(wanted, abs=1.5)
    upright = mouth_image(np.ascontiguousarray(ramp(width, height).T), box)
    rows = 200 * (150 * scale + half * np.array([-0.3, 1.1])) / height
    assert upright[[0, -1]].mean(1) == pytest.approx(rows, abs=1.5)


def test_the_face_mesh_sees_the_whole_head() -> None:
    face = face_image(ramp(300, 400), np.array([150.0, 100, 230, 200]))
    assert face.shape == (192, 192) and face[:, [0, -1]].mean(0) == pytest.approx([60, 130], abs=1.5)


@pytest.mark.parametrize("box", [(-80, -60, 20, 40), (390, 290, 480, 380), (-500, -500, -400, -380), (5, 5, 5, 5)])
def test_boxes_over_and_beyond_the_edge_are_taken(box: tuple[float, ...]) -> None:
    assert mouth_image(ramp(300, 400), np.array(box, np.float64)).shape == (112, 112)
    assert face_image(ramp(300, 400), np.array(box, np.float64)).shape == (192, 192)


def test_jumps_of_a_box_are_smoothed_and_motion_is_kept() -> None:
    boxes = (np.arange(60)[:, None] + np.array([0, 0, 40, 50])).astype(np.float32)
    jumping = boxes.copy()
    jumping[30] += 25
    assert np.allclose(smoothed_boxes(jumping)[10:-10], boxes[10:-10], atol=1.01)
    assert smoothed_boxes(boxes[:1]).shape == (1, 4) and smoothed_boxes(boxes[:4]).shape == (4, 4)
