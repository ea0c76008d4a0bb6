"""Sub-pixel cropping, compared with analytic images."""

import numpy as np
import pytest

from utils.images import plane_crops
from utils.images.plane_crops import crop_plane, crop_planes


def wave(width=640, height=360, period=40.0):
    """128 + 90 sin: smooth enough for any kernel here; value known at every real coordinate."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.round(wave_at(x, y, period)).astype(np.uint8)


def wave_at(x, y, period=40.0):
    return 128 + 45 * np.sin(2 * np.pi * x / period) + 45 * np.sin(2 * np.pi * y / period + 1)


def positions(window, out_w, out_h):
    x1, y1, x2, y2 = window
    return np.meshgrid(
        x1 + (np.arange(out_w) + 0.5) * (x2 - x1) / out_w, y1 + (np.arange(out_h) + 0.5) * (y2 - y1) / out_h
    )


@pytest.mark.parametrize("size", [33.3, 90.25, 127.9, 128.0, 128.3, 200.7, 255.9, 256.0, 300.1])
@pytest.mark.parametrize("corner", [(40.0, 30.0), (40.3, 20.7), (100.999, 10.5)])
def test_every_output_pixel_shows_its_position(size, corner):
    window = (*corner, corner[0] + size, corner[1] + size)
    out = crop_plane(wave(), window, 128, 128)
    error = out - wave_at(*positions(window, 128, 128))
    assert np.abs(error).max() < 3.5
    assert abs(error.mean()) < 0.3
    # Correlation with the slope is the mean misplacement along x: less than 0.08 px.
    slope = np.cos(2 * np.pi * positions(window, 128, 128)[0] / 40)
    assert abs((error * slope).mean() / (slope**2).mean()) < 0.08 * 45 * 2 * np.pi / 40


@pytest.mark.parametrize("x", [0.0, 12.0, 512.0])
def test_window_of_output_size_on_whole_pixels_is_copied(x):
    rng = np.random.default_rng(1)
    full, *chroma = (rng.integers(0, 256, s, np.uint8) for s in ((360, 640), (180, 320), (180, 320)))
    planes = full, chroma[0], chroma[1]
    y, u, v = crop_planes(planes, (x, 20.0, x + 128, 148.0), 128, 128)
    assert np.array_equal(y, planes[0][20:148, int(x) : int(x) + 128])
    assert np.array_equal(u, planes[1][10:74, int(x) // 2 : int(x) // 2 + 64])
    assert np.array_equal(v, planes[2][10:74, int(x) // 2 : int(x) // 2 + 64])
    assert y.flags.c_contiguous and u.flags.c_contiguous


@pytest.mark.parametrize("window", [(60.0, 40.0, 188.0, 168.0), (60.3, 40.0, 200.1, 179.8), (60.0, 40.0, 580.0, 320.0)])
def test_nothing_beyond_the_area_is_mixed_in(window):
    """The filters reach some pixels beyond a window that touches the black bars."""
    y = np.full((360, 640), 200, np.uint8)
    u, v = np.full((180, 320), 90, np.uint8), np.full((180, 320), 160, np.uint8)
    area = (60, 40, 580, 320)
    for plane, divisor, black in ((y, 1, 16), (u, 2, 128), (v, 2, 128)):
        inside = plane[40 // divisor : 320 // divisor, 60 // divisor : 580 // divisor].copy()
        plane[:] = black
        plane[40 // divisor : 320 // divisor, 60 // divisor : 580 // divisor] = inside
    cropped = crop_planes((y, u, v), window, 128, 128, area)
    assert [(plane.min(), plane.max()) for plane in cropped] == [(200, 200), (90, 90), (160, 160)]


def test_an_area_that_is_the_whole_frame_changes_nothing():
    luma, chroma = wave(641, 361), wave(321, 181)
    window = (3.3, 7.1, 210.4, 214.2)
    without = crop_planes((luma, chroma, chroma), window, 96, 96)
    within = crop_planes((luma, chroma, chroma), window, 96, 96, (0, 0, 641, 361))
    assert all(np.array_equal(a, b) for a, b in zip(without, within, strict=True))


def test_fine_pattern_is_averaged_not_aliased_when_shrinking():
    board = (np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8)
    for size in (500.0, 380.5, 250.3, 200.0):
        out = crop_plane(board, (3.3, 4.4, 3.3 + size, 4.4 + size), 100, 100)
        assert np.abs(out.astype(float) - 127.5).max() < 14, size


def test_chroma_stays_aligned_with_luma():
    # Chroma sample i sits at luma column 2 i (centre 2 i + 0.5) and between two rows.
    luma = wave(period=60)
    x, y = np.meshgrid(2 * np.arange(320) + 0.5, 2 * np.arange(180) + 1.0)
    chroma = np.round(wave_at(x, y, 60)).astype(np.uint8)
    window = (50.3, 40.6, 250.3, 240.6)
    out_y, out_u, _ = crop_planes((luma, chroma, chroma), window, 512, 512)
    at_chroma = (out_y[::2, ::2].astype(float) + out_y[1::2, ::2]) / 2
    assert np.abs(at_chroma - out_u).mean() < 0.6


def test_outside_repeats_the_edge_and_tiny_planes_work():
    plane = np.full((7, 5), 99, np.uint8)
    assert (crop_plane(plane, (0, 0, 5, 5), 64, 64) == 99).all()
    assert (crop_plane(plane, (-3.5, -2.2, 9.0, 10.3), 64, 64) == 99).all()
    assert (crop_plane(np.full((1, 1), 7, np.uint8), (0, 0, 1, 1), 4, 4) == 7).all()


def test_empty_window_is_refused():
    with pytest.raises(ValueError, match="empty window"):
        crop_plane(np.zeros((4, 4), np.uint8), (2, 2, 2, 3), 4, 4)


@pytest.mark.parametrize("scale", [1.02, 1.1, 1.2, 1.4, 1.7, 1.99])
def test_omitted_taps_change_no_pixel(scale, monkeypatch):
    plane = np.random.default_rng(1).integers(0, 256, (400, 500), np.uint8)
    window = (30.3, 10.7, 30.3 + 150 * scale, 10.7 + 150 * scale)
    fast = crop_plane(plane, window, 150, 150)
    monkeypatch.setattr(plane_crops, "blur_taps", lambda sigma: 7)
    assert np.array_equal(fast, crop_plane(plane, window, 150, 150))


@pytest.mark.parametrize("searched", [64, 0])
@pytest.mark.parametrize("size", [40.7, 60.3, 77.3, 101.9, 147.9, 170.3])
def test_neither_side_of_the_output_is_misplaced(size, searched, monkeypatch):
    """Whether or not a nearly whole number of source pixels is found (`searched` output px are looked at)."""
    monkeypatch.setattr(plane_crops, "TRAIL_PX", searched)
    plane_crops.output_extent.cache_clear()
    window = (20.3, 30.7, 20.3 + size, 30.7 + size)
    at_x, at_y = positions(window, 128, 128)
    error = crop_plane(wave(period=24.0), window, 128, 128) - wave_at(at_x, at_y, 24.0)
    plane_crops.output_extent.cache_clear()
    # Correlation with the slope is the mean misplacement, in 1 / (45 * 2 pi / 24) px.
    for side in (np.s_[:, :64], np.s_[:, 64:], np.s_[:64], np.s_[64:]):
        for slope in (np.cos(2 * np.pi * at_x / 24), np.cos(2 * np.pi * at_y / 24 + 1)):
            misplaced = (error[side] * slope[side]).sum() / (slope[side] ** 2).sum()
            assert abs(misplaced) < (1 / 32 + 0.005) * 45 * 2 * np.pi / 24
