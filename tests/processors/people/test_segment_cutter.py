"""Padding that stops at cuts, and long segments cut where little moves."""

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from config import ClipSettings
from core.types import ColorInfo, FaceAnalysis, Segment, Shot, Tracklet, VideoInfo
from processors.people.segment_cutter import cut_segments

RATE = 25


def tracklet(number, start, x, shot=0):
    n = len(x)
    boxes = np.stack([x - 40, np.full(n, 200.0), x + 40, np.full(n, 300.0)], 1).astype(np.float32)
    boxes += np.random.default_rng(number).normal(0, 1, boxes.shape).astype(np.float32)
    landmarks = np.repeat(boxes[:, None, :2] + np.float32(40), 5, axis=1)
    ones, none = np.ones(n, np.float32), np.zeros(0, np.float32)
    return Tracklet(
        number, shot, np.arange(start, start + n), boxes, ones, landmarks, ones, np.zeros(0, np.int64), none,
        np.zeros((0, 4), np.float32),
    )  # fmt: skip


def analysis(tracklets, n, shots=None, pts=None):
    video = VideoInfo(
        Path("x.mp4"), "mov", 0, "h264", "yuv420p", 1280, 720, 1280, 720, 0, Fraction(1),
        Fraction(1, RATE * 512), Fraction(RATE), 0, 0.0, 0, False, ColorInfo(), (), 0,
    )  # fmt: skip
    pts = np.arange(n, dtype=np.int64) * 512 + 9000 if pts is None else pts
    return FaceAnalysis(video, pts, shots or (Shot(0, 0, n, "start"),), tuple(tracklets), "none", 0)


def bounds(segments):
    return [(s.start, s.end) for s in segments]


def test_without_settings_nothing_changes():
    segments = [Segment("a", 0, 3, 90, (1,))]
    assert cut_segments(analysis([], 100), segments, ClipSettings()) == segments


def test_padding_ends_at_cuts_and_between_segments_of_the_same_person():
    shots = (Shot(0, 0, 200, "start"), Shot(1, 200, 400, "cut"))
    segments = [
        Segment("a", 0, 60, 80, ()),
        Segment("a", 0, 111, 190, ()),
        Segment("b", 0, 90, 100, ()),
        Segment("a", 1, 210, 390, ()),
    ]
    film = analysis([], 400, shots)
    assert bounds(cut_segments(film, segments, ClipSettings(padding=0.4))) == [
        (50, 90), (101, 200), (80, 110), (200, 400),
    ]  # fmt: skip
    assert bounds(cut_segments(film, segments, ClipSettings(padding=2))) == [
        (10, 96), (96, 200), (40, 150), (200, 400),
    ]  # fmt: skip


def test_padding_counts_time_not_frames():
    steps = np.tile([512, 1536], 50)
    pts = np.concatenate([[0], np.cumsum(steps)])[:100]
    (segment,) = cut_segments(analysis([], 100, pts=pts), [Segment("a", 0, 40, 60, ())], ClipSettings(padding=0.8))
    assert (segment.start, segment.end) == (30, 70)


@pytest.mark.parametrize("length", [251, 260, 375, 499, 501, 1000, 4003])
def test_no_part_is_longer_and_nothing_is_lost(length):
    rng = np.random.default_rng(length)
    film = analysis([tracklet(1, 0, 600 + np.cumsum(rng.normal(0, 2, length)))], length)
    parts = cut_segments(film, [Segment("a", 0, 0, length, (1,))], ClipSettings(max_clip=10))
    found = bounds(parts)
    assert found[0][0] == 0 and found[-1][1] == length
    assert all(a[1] == b[0] for a, b in itertools.pairwise(found))
    sizes = [end - start for start, end in found]
    assert max(sizes) <= 250 and min(sizes) >= 124 and len(sizes) >= 2


def test_a_stretch_of_just_the_limit_stays_whole():
    film = analysis([tracklet(1, 0, np.full(250, 500.0))], 250)
    assert len(cut_segments(film, [Segment("a", 0, 0, 250, (1,))], ClipSettings(max_clip=10))) == 1


def test_cuts_fall_into_rests():
    """Somebody sways all the time, and rests for a second at 7.0-8.0 s, 14.5-15.5 s and 22-23 s."""
    frames = np.arange(750)
    speed = 4 * np.sin(2 * np.pi * frames / 40)
    rests = [(175, 200), (362, 388), (550, 575)]
    for start, end in rests:
        speed[start:end] = 0
    film = analysis([tracklet(1, 0, 600 + np.cumsum(speed))], 750)
    parts = cut_segments(film, [Segment("a", 0, 0, 750, (1,))], ClipSettings(max_clip=10))
    cuts = [p.start for p in parts[1:]]
    assert len(cuts) == 3
    assert all(start < cut < end for cut, (start, end) in zip(cuts, rests, strict=True))


def test_other_faces_count_too():
    still = tracklet(1, 0, np.full(300, 300.0))
    frames = np.arange(300)
    speed = np.where((frames > 140) & (frames < 170), 0.0, 6 * np.sin(2 * np.pi * frames / 30))
    film = analysis([still, tracklet(2, 0, 900 + np.cumsum(speed))], 300)
    parts = cut_segments(film, [Segment("a", 0, 0, 300, (1,))], ClipSettings(max_clip=10))
    assert len(parts) == 2 and 143 < parts[1].start < 167
