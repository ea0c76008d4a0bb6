"""What types compute from their own fields."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.types import ColorInfo, FaceAnalysis, VideoInfo, frame_times


def analysis(pts: list[int]) -> FaceAnalysis:
    video = VideoInfo(
        path=Path("x.mp4"), container="mov", stream_index=0, codec="h264", pixel_format="yuv420p", coded_width=64,
        coded_height=48, width=64, height=48, rotation=0, sample_aspect_ratio=Fraction(1),
        time_base=Fraction(1, 1000), frame_rate=Fraction(30000, 1001), start_pts=0, duration_s=0.0, frame_count=0,
        interlaced=False, color=ColorInfo(), audio=(), size_bytes=0,
    )  # fmt: skip
    return FaceAnalysis(video, np.array(pts, np.int64), (), (), "dlib", 0)


@pytest.mark.parametrize(
    "pts", [[], [7], [0, 33, 67, 100], [0, 33, 50_000, 50_033]], ids=["none", "one", "some", "hole"]
)
def test_the_ends_of_all_frames_are_those_of_each(pts: list[int]) -> None:
    made = analysis(pts)
    assert made.frame_ends.tolist() == [made.end_pts(frame + 1) for frame in range(len(pts))]
    assert made.frame_ends.dtype == np.int64


def test_no_frame_is_shown_for_longer_than_ten_seconds() -> None:
    assert analysis([0, 33, 50_000]).frame_ends.tolist() == [33, 10_033, 50_033]


def test_times_count_from_the_first_frame_and_are_exact() -> None:
    first = 9_007_199_254_740_993  # not a float: seconds from zero would be off
    made = analysis([first + 40 * i for i in (0, 1, 2, 4, 5)])
    assert frame_times(made) == pytest.approx([0, 0.04, 0.08, 0.16, 0.2, 0.233], abs=1e-12)


def test_times_of_no_frames_are_the_end_alone() -> None:
    assert frame_times(analysis([])).tolist() == [0.0]
