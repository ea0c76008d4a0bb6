"""Which frames belong to the part of a video that is asked for."""

from __future__ import annotations

from fractions import Fraction

import pytest

from config import AnalysisSettings
from core.errors import DecodeError
from core.media.video_part import VideoPart, part_of
from tests.material.factories import video_info

INFO = video_info(time_base=Fraction(1, 1000), start_pts=500, duration_s=100.0, frame_count=2500)


def test_all_of_the_video_is_not_a_part():
    assert part_of(INFO, AnalysisSettings()) == VideoPart(None, None, None, 2500)


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        (AnalysisSettings(start=10, end=30), VideoPart(10_500, 30_500, 500, 500)),
        (AnalysisSettings(start=90), VideoPart(90_500, None, 500, 250)),
        (AnalysisSettings(end=50), VideoPart(None, 50_500, 500, 1250)),
        (AnalysisSettings(start=90, duration=20), VideoPart(90_500, 110_500, 500, 250)),
    ],
)
def test_times_count_from_the_first_frame(settings, part):
    assert part_of(INFO, settings) == part


def test_a_part_after_the_end_is_refused_before_anything_is_decoded():
    with pytest.raises(DecodeError, match="no frame lies in the part") as caught:
        part_of(INFO, AnalysisSettings(start=100))
    assert caught.value.hint == "it is 100.0 s long"


def test_a_length_that_is_not_known_says_nothing():
    unknown = video_info(time_base=Fraction(1, 1000), duration_s=0.0, frame_count=0)
    assert part_of(unknown, AnalysisSettings(start=7)) == VideoPart(7000, None, 0, 0)


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)])
@pytest.mark.parametrize("time_base", [Fraction(1, 1000), Fraction(1, 90000)])
def test_the_number_of_its_first_frame_is_that_of_the_first_time_in_it(rate, time_base):
    info = video_info(time_base=time_base, start_pts=500, duration_s=100.0, frame_rate=rate)
    ticks = [500 + round(number / rate / time_base) for number in range(3000)]
    for start_s in (0.02, 1.0, 1.001, 12.34, 33.3333, 49.9999):
        part = part_of(info, AnalysisSettings(start=start_s))
        assert part.start_pts is not None
        assert part.first_frame(info) == sum(pts < part.start_pts for pts in ticks)
    assert part_of(info, AnalysisSettings(end=3)).first_frame(info) == 0
