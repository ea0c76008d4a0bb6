"""What types compute from their own fields."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from core.types import FaceAnalysis
from tests.material.factories import face_analysis, tracklet, video_info


def analysis(pts: list[int]) -> FaceAnalysis:
    return face_analysis(video=video_info(time_base=Fraction(1, 1000), frame_rate=Fraction(30000, 1001)), pts=pts)


@pytest.mark.parametrize(
    "pts", [[], [7], [0, 33, 67, 100], [0, 33, 50_000, 50_033]], ids=["none", "one", "some", "gap"]
)
def test_the_ends_of_all_frames_are_those_of_each(pts: list[int]) -> None:
    made = analysis(pts)
    ends = [(made.end_pts(frame + 1) - pts[0]) / 1000 for frame in range(len(pts))]
    assert made.ends_s.tolist() == pytest.approx(ends, abs=1e-12)
    assert made.ends_s.dtype == np.float64


def test_no_frame_is_shown_for_longer_than_ten_seconds() -> None:
    made = analysis([0, 33, 50_000])
    assert made.ends_s.tolist() == pytest.approx([0.033, 10.033, 50.033], abs=1e-12)
    assert made.seconds_at(2) == 50.0


def test_times_count_from_the_first_frame_and_are_exact() -> None:
    first = 9_007_199_254_740_993  # not a float: seconds from zero would be off
    made = analysis([first + 40 * i for i in (0, 1, 2, 4, 5)])
    starts = [0, 0.04, 0.08, 0.16, 0.2]
    assert made.starts_s == pytest.approx(starts, abs=1e-12)
    assert made.bounds_s == pytest.approx([*starts, 0.233], abs=1e-12)


def test_seconds_at_takes_one_frame_or_many_up_to_the_end() -> None:
    made = analysis([500, 540, 580])
    assert made.seconds_at(1) == pytest.approx(0.04) and isinstance(made.seconds_at(1), float)
    assert made.seconds_at(np.array([0, 3])) == pytest.approx([0, 0.113])


def test_times_of_no_frames_are_the_end_alone() -> None:
    made = analysis([])
    assert made.bounds_s.tolist() == [0.0]
    assert made.starts_s.tolist() == made.ends_s.tolist() == []


def test_times_are_computed_once_and_nobody_can_change_them() -> None:
    made = analysis([0, 40])
    assert made.bounds_s is made.bounds_s and made.ends_s is made.ends_s
    for seconds in (made.starts_s, made.ends_s, made.bounds_s):
        with pytest.raises(ValueError, match="read-only"):
            seconds[0] = 1


def test_times_of_a_part_count_from_the_first_frame_of_the_video() -> None:
    part = dataclasses.replace(analysis([2500, 2540]), origin_pts=500)
    assert part.bounds_s == pytest.approx([2.0, 2.04, 2.073])
    assert part.ends_s == pytest.approx([2.04, 2.073])


def test_a_person_is_on_screen_as_long_as_any_of_their_tracklets() -> None:
    tracklets = [tracklet(0, frames=[0, 1]), tracklet(1, frames=[1, 2]), tracklet(2, frames=[3])]
    made = dataclasses.replace(analysis([0, 40, 80, 120, 160]), tracklets=tuple(tracklets))
    assert made.on_screen_s((0, 1)) == pytest.approx(0.12)
    assert made.on_screen_s(()) == 0.0


def test_a_part_of_a_tracklet_keeps_what_was_chosen_of_each_kind() -> None:
    whole = dataclasses.replace(
        tracklet(3, range(10, 20), embeddings=np.eye(4)[:3], face_jpeg=b"jpeg"),
        look_frames=np.array([10, 15]),
        clothes=np.zeros((2, 5), np.uint8),
        views=np.ones((2, 6), np.uint8),
        signals={"speech": np.arange(10, dtype=np.float32)},
    )
    part = whole.part(slice(4, 8), [2, 0], whole.look_frames >= 14)
    assert part.id == 3 and part.face_jpeg == b"jpeg"
    assert part.frames.tolist() == [14, 15, 16, 17] and part.signals["speech"].tolist() == [4, 5, 6, 7]
    assert part.sample_frames.tolist() == [12, 10] and part.embeddings[0].tolist() == [0, 0, 1, 0]
    assert part.look_frames.tolist() == [15] and part.clothes.shape == (1, 5) and part.views.shape == (1, 6)


def test_a_turn_counts_from_how_players_show_the_video() -> None:
    shown = video_info(width=640, height=360, rotation=90)
    for degrees, rotation, size in ((90, 180, (360, 640)), (180, 270, (640, 360)), (270, 0, (360, 640))):
        turned = shown.turned(degrees)
        assert (turned.turn, turned.rotation, turned.width, turned.height) == (degrees, rotation, *size)
        assert turned.player_size == (640, 360)
        assert turned.turned(180) == shown.turned(180) and turned.turned(0) == shown
    with pytest.raises(ValueError, match="45"):
        shown.turned(45)
