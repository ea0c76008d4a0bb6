"""The camera on made-up faces."""

import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import median_filter

from config import ClipSettings
from core.types import ColorInfo, FaceAnalysis, Segment, Shot, Tracklet, VideoInfo
from processors.crop_planner import EYE_LINE, CropPlanner

RATE = 25
TICKS = 512


def boxes_of(x, y, height, noise=0.0, seed=0):
    """Boxes 0.8 times as wide as high; noise: standard deviation of each side, face heights."""
    height = np.broadcast_to(np.asarray(height, float), np.shape(x))
    boxes = np.stack([x - 0.4 * height, y - 0.5 * height, x + 0.4 * height, y + 0.5 * height], 1)
    return boxes + np.random.default_rng(seed).normal(0, noise, boxes.shape) * height[:, None]


def tracklet(boxes, frames=None, number=1):
    n = len(boxes)
    size = boxes[:, 2:] - boxes[:, :2]
    places = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)])
    landmarks = boxes[:, None, :2] + places * size[:, None]
    frames = np.arange(n) if frames is None else frames
    ones, none = np.ones(n, np.float32), np.zeros(0, np.float32)
    return Tracklet(
        number, 0, frames.astype(np.int64), boxes.astype(np.float32), ones, landmarks.astype(np.float32), ones,
        np.zeros(0, np.int64), none, np.zeros((0, 4), np.float32),
    )  # fmt: skip


def plan(tracklets, n, width=1920, height=1080, settings=None, pts=None, aspect=Fraction(1)):
    video = VideoInfo(
        Path("x.mp4"), "mov", 0, "h264", "yuv420p", width, height, width, height, 0, Fraction(1),
        Fraction(1, RATE * TICKS), Fraction(RATE), 0, 0.0, 0, False, ColorInfo(), (), 0,
    )  # fmt: skip
    pts = np.arange(n, dtype=np.int64) * TICKS if pts is None else pts
    analysis = FaceAnalysis(video, pts, (Shot(0, 0, n, "start"),), tuple(tracklets), "none", 0)
    segment = Segment("person_01", 0, 0, n, tuple(t.id for t in tracklets))
    path = CropPlanner(settings or ClipSettings(), aspect=aspect).plan(segment, analysis)
    sizes = path.windows[:, 2:] - path.windows[:, :2]
    assert np.allclose(sizes[:, 0] / sizes[:, 1], path.width / path.height, rtol=1e-9)
    assert (path.windows >= -1e-9).all() and (path.windows <= np.array([width, height] * 2) + 1e-9).all()
    return path


def centers(windows):
    return (windows[:, :2] + windows[:, 2:]) / 2


def acceleration(points):
    return float(np.sqrt((np.diff(points, 2, axis=0) ** 2).sum(1).mean()))


def reversals_per_s(points, least_px=0.02):
    count = 0
    for speed in np.diff(points, axis=0).T:
        signs = np.sign(speed[np.abs(speed) > least_px])
        count += int((np.diff(signs) != 0).sum())
    return count * RATE / len(points)


def inside(boxes, windows):
    return float(((boxes[:, :2] >= windows[:, :2] - 1e-6) & (boxes[:, 2:] <= windows[:, 2:] + 1e-6)).all(1).mean())


@pytest.mark.parametrize("noise", [0.01, 0.02])
def test_still_head(noise):
    boxes = boxes_of(np.full(500, 900.0), np.full(500, 500.0), 220.0, noise)
    path = plan([tracklet(boxes)], 500)
    assert acceleration(centers(path.windows)) <= 0.05
    assert reversals_per_s(centers(path.windows)) == 0
    sizes = path.windows[:, 3] - path.windows[:, 1]
    assert np.ptp(sizes) < 0.5 and sizes[0] == pytest.approx(220 / 0.45, rel=0.02)
    assert (path.width, path.height) == (512, 512)
    eyes = (500 - 0.1 * 220 - path.windows[:, 1]) / sizes
    assert np.abs(eyes - EYE_LINE).max() < 0.02


@pytest.mark.parametrize("speed", [60, 150])
def test_walking_person(speed):
    t = np.arange(400) / RATE
    x = 300 + np.clip((t - 4) * speed, 0, 1200)
    boxes = boxes_of(x, 500 + 8 * np.sin(2 * np.pi * 1.8 * t), 150.0, 0.015)
    path = plan([tracklet(boxes)], 400)
    assert inside(boxes, path.windows) >= 0.995
    assert reversals_per_s(centers(path.windows)) <= 0.2
    by_median = median_filter((boxes[:, :2] + boxes[:, 2:]) / 2, (13, 1))
    assert acceleration(centers(path.windows)) * 3 <= acceleration(by_median)


def test_zoom_follows_slowly_when_the_face_comes_closer():
    t = np.arange(500) / RATE
    height = 100 * np.exp(t / 20 * np.log(3))
    boxes = boxes_of(np.full(500, 900.0), np.full(500, 500.0), height, 0.015)
    path = plan([tracklet(boxes)], 500)
    share = height / (path.windows[:, 3] - path.windows[:, 1])
    assert (share > 0.36).all() and (share < 0.56).all()
    sizes = path.windows[:, 3] - path.windows[:, 1]
    assert (np.diff(sizes) > -0.02).all()
    assert inside(boxes, path.windows) == 1


@pytest.mark.parametrize("x,y", [(60, 70), (1870, 1020), (960, 60), (40, 540)])
def test_face_at_the_edge(x, y):
    boxes = boxes_of(np.full(100, float(x)), np.full(100, float(y)), 100.0)
    path = plan([tracklet(boxes)], 100)
    seen = boxes.clip(0, [1920, 1080, 1920, 1080])
    assert inside(seen, path.windows) == 1
    height = path.windows[0, 3] - path.windows[0, 1]
    assert 0.75 * 100 / 0.45 <= height <= 100 / 0.45 + 1


def test_face_larger_than_the_picture_and_tiny_picture():
    path = plan([tracklet(boxes_of(np.full(50, 320.0), np.full(50, 180.0), 500.0))], 50, 640, 360)
    assert np.allclose(path.windows, [140, 0, 500, 360])
    path = plan([tracklet(boxes_of(np.full(50, 8.0), np.full(50, 6.0), 3.0))], 50, 16, 12)
    assert np.allclose(path.windows[:, 3] - path.windows[:, 1], 12)


def test_gap_between_two_tracklets_is_crossed_smoothly():
    first = boxes_of(np.full(100, 700.0), np.full(100, 500.0), 150.0)
    second = boxes_of(np.full(100, 900.0), np.full(100, 500.0), 150.0)
    parts = [tracklet(first), tracklet(second, np.arange(120, 220), number=2)]
    path = plan(parts, 220)
    boxes = np.concatenate([first, np.linspace(first[-1], second[0], 22)[1:-1], second])
    assert inside(boxes, path.windows) == 1
    assert (np.diff(centers(path.windows)[:, 0]) > -0.3).all()


def test_variable_frame_rate_gives_constant_rate_rows():
    steps = np.random.default_rng(0).choice([TICKS // 2, TICKS, 2 * TICKS], 199)
    pts = np.concatenate([[7000], 7000 + np.cumsum(steps)]).astype(np.int64)
    x = 600 + (pts - 7000) / TICKS * 2.0
    path = plan([tracklet(boxes_of(x, np.full(200, 500.0), 150.0))], 200, pts=pts)
    assert len(path.source_frames) == int((pts[-1] - 7000 + TICKS) / TICKS + 0.5)
    assert (np.diff(path.source_frames) >= 0).all()
    # Even motion in time stays even in the clip although the frames are not.
    assert acceleration(centers(path.windows)) < 0.05


def test_aspect_and_share_are_kept():
    boxes = boxes_of(np.full(100, 900.0), np.full(100, 500.0), 200.0, 0.01)
    path = plan([tracklet(boxes)], 100, settings=ClipSettings(size=640, face_share=0.8), aspect=Fraction(9, 16))
    assert (path.width, path.height) == (360, 640)
    path = plan([tracklet(boxes)], 100, settings=ClipSettings(face_share=0.9))
    assert inside(boxes, path.windows) == 1


def test_single_frame_and_empty_segments():
    assert len(plan([tracklet(boxes_of(np.array([900.0]), np.array([500.0]), 100.0))], 1).windows) == 1
    with pytest.raises(ValueError, match="nothing to follow"):
        plan([], 3)


def test_long_segment_is_planned_in_seconds():
    n = 3000
    x = 960 + 500 * np.sin(np.arange(n) / 200) + np.cumsum(np.random.default_rng(0).normal(0, 1, n))
    boxes = boxes_of(x, np.full(n, 500.0), 150.0, 0.015)
    begin = time.process_time()
    path = plan([tracklet(boxes)], n)
    assert time.process_time() - begin < 6
    assert inside(boxes, path.windows) >= 0.995
