"""Crop paths as key frames."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import CropPath, Segment
from processors.extras.exporters.transform_keys import TransformSpace, transform_keys

WIDE = TransformSpace(1920, 1080, 512, 512)


def crop_path(centers_x: np.ndarray, centers_y: np.ndarray, heights: np.ndarray, width: int = 512, height: int = 512):
    half = heights / 2 * width / height, heights / 2
    windows = np.stack([centers_x - half[0], centers_y - half[1], centers_x + half[0], centers_y + half[1]], axis=1)
    count = len(windows)
    return CropPath(Segment("p", 0, 0, count, (0,)), np.arange(count), windows, width, height)


def shown_windows(path: CropPath, tolerance_px: float = 0.5) -> np.ndarray:
    """What the key frames show in every frame of the clip."""
    keys = transform_keys(path, 1920, 1080, tolerance_px)
    columns = [*keys.positions.T, keys.scales]
    frames = np.arange(len(path.windows))
    transforms = np.stack([np.interp(frames, keys.frames, column) for column in columns], axis=1)
    return TransformSpace(1920, 1080, path.width, path.height).windows(transforms)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        # The whole frame, fitted: the source is 288 px high in a sequence of 512.
        ((420.0, 0.0, 1500.0, 1080.0), (0, 0, 1920 / 1080)),
        # Half as high, in the middle.
        ((690.0, 270.0, 1230.0, 810.0), (0, 0, 2 * 1920 / 1080)),
        # In the upper left corner: the source has to go right and down by half a sequence less half of what is seen.
        ((0.0, 0.0, 540.0, 540.0), (100 * (960 - 270) / 540, -100 * (540 - 270) / 540, 2 * 1920 / 1080)),
    ],
)
def test_a_window_fills_the_sequence(window, expected):
    transform = WIDE.transforms(np.array([window]))
    np.testing.assert_allclose(transform[0], expected, atol=1e-4)
    np.testing.assert_allclose(WIDE.windows(transform), [window], atol=0.01)


def test_a_camera_that_rests_needs_one_key_frame():
    still = np.full(50, 700.0)
    keys = transform_keys(crop_path(still, still * 0.7, np.full(50, 400.0)), 1920, 1080)
    assert keys.frames.tolist() == [0]


def test_a_steady_pan_needs_two_key_frames():
    keys = transform_keys(crop_path(np.linspace(400, 900, 80), np.full(80, 500.0), np.full(80, 400.0)), 1920, 1080)
    assert keys.frames.tolist() == [0, 79]


def test_rest_move_and_rest_keep_the_ends_of_the_move():
    x = np.concatenate([np.full(30, 500.0), np.linspace(500, 800, 21), np.full(30, 800.0)])
    keys = transform_keys(crop_path(x, np.full(81, 500.0), np.full(81, 400.0)), 1920, 1080)
    assert keys.frames.tolist() == [0, 30, 50, 80]


@pytest.mark.parametrize("shape", [(512, 512), (360, 640), (640, 360)])
@pytest.mark.parametrize("tolerance_px", [0.5, 3.0])
def test_no_edge_is_further_off_than_allowed_while_the_camera_eases_and_zooms(shape, tolerance_px):
    ease = (1 - np.cos(np.linspace(0, np.pi, 120))) / 2
    path = crop_path(600 + 500 * ease, 520 + 40 * np.sin(6 * ease), 300 + 250 * ease**2, *shape)
    keys = transform_keys(path, 1920, 1080, tolerance_px)
    assert np.abs(shown_windows(path, tolerance_px) - path.windows).max() <= tolerance_px
    assert len(keys.frames) < 60


def test_one_frame():
    keys = transform_keys(crop_path(np.array([500.0]), np.array([500.0]), np.array([300.0])), 1920, 1080)
    assert keys.frames.tolist() == [0]
