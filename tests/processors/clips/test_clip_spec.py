"""A clip as plain values."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from core.types import CropPath, Segment, SourceTimecode
from processors.clips.clip_spec import clip_spec
from tests.material.factories import face_analysis, video_info

HOUR = SourceTimecode(107892, 30, drop_frame=True)


@pytest.mark.parametrize(("timecode", "expected"), [(HOUR, "01:01:00;02"), (None, "")])
@pytest.mark.parametrize("whole", [True, False])
def test_timecode_of_a_clip_counts_from_the_first_frame_of_the_video_wherever_the_analysis_began(
    whole, timecode, expected
):
    video = video_info(frame_rate=Fraction(30000, 1001), time_base=Fraction(1, 30000), timecode=timecode)
    first = 0 if whole else 1700
    pts = 5005 + 1001 * np.arange(first, 1900)
    analysis = face_analysis(video=video, pts=pts, origin_pts=None if whole else 5005)
    start = 1800 - first
    path = CropPath(
        Segment("person_01", 0, start, start + 1, ()), np.array([start]), np.array([[0.0, 0, 48, 48]]), 64, 64
    )
    assert clip_spec(path, "a.mp4", analysis, "libx264").timecode == expected
