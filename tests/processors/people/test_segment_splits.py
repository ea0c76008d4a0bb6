"""Long segments are split where little moves."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from core.types import Segment
from processors.people.segment_splits import least_motion_splits
from tests.material import factories

RATE = 25


def tracklet(number, start, x, shot=0):
    n = len(x)
    boxes = np.stack([x - 40, np.full(n, 200.0), x + 40, np.full(n, 300.0)], 1).astype(np.float32)
    boxes += np.random.default_rng(number).normal(0, 1, boxes.shape).astype(np.float32)
    landmarks = np.repeat(boxes[:, None, :2] + np.float32(40), 5, axis=1)
    return factories.tracklet(number, range(start, start + n), boxes, shot=shot, landmarks=landmarks)


def analysis(tracklets, n, shots=None, pts=None):
    video = factories.video_info(time_base=Fraction(1, RATE * 512))
    pts = np.arange(n, dtype=np.int64) * 512 + 9000 if pts is None else pts
    return factories.face_analysis(tracklets, video=video, pts=pts, cuts=[shot.start for shot in shots or ()][1:])


def bounds(video, n, max_s=10):
    return list(itertools.pairwise([0, *least_motion_splits(video, Segment("a", 0, 0, n, (1,)), max_s), n]))


@pytest.mark.parametrize("length", [251, 260, 375, 499, 501, 1000, 4003])
def test_parts_are_half_to_the_whole_limit_long(length):
    rng = np.random.default_rng(length)
    video = analysis([tracklet(1, 0, 600 + np.cumsum(rng.normal(0, 2, length)))], length)
    sizes = [end - start for start, end in bounds(video, length)]
    assert max(sizes) <= 250 and min(sizes) >= 124 and len(sizes) >= 2


def test_a_stretch_of_just_the_limit_stays_whole():
    video = analysis([tracklet(1, 0, np.full(250, 500.0))], 250)
    assert bounds(video, 250) == [(0, 250)]


def test_splits_fall_into_rests():
    """Somebody sways all the time, and rests for a second at 7.0-8.0 s, 14.5-15.5 s and 22-23 s."""
    frames = np.arange(750)
    speed = 4 * np.sin(2 * np.pi * frames / 40)
    rests = [(175, 200), (362, 388), (550, 575)]
    for start, end in rests:
        speed[start:end] = 0
    video = analysis([tracklet(1, 0, 600 + np.cumsum(speed))], 750)
    splits = [start for start, _ in bounds(video, 750)[1:]]
    assert len(splits) == 3
    assert all(start < split < end for split, (start, end) in zip(splits, rests, strict=True))


def test_other_faces_count_too():
    still = tracklet(1, 0, np.full(300, 300.0))
    frames = np.arange(300)
    speed = np.where((frames > 140) & (frames < 170), 0.0, 6 * np.sin(2 * np.pi * frames / 30))
    video = analysis([still, tracklet(2, 0, 900 + np.cumsum(speed))], 300)
    parts = bounds(video, 300)
    assert len(parts) == 2 and 143 < parts[1][0] < 167
