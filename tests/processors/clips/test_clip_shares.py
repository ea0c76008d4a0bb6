"""Which clips of a long video are made by which process."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from core.types import FaceAnalysis, Segment
from processors.clips import clip_shares
from processors.clips.clip_shares import SHARE_S, clip_share, share_count
from tests.material.factories import face_analysis, video_info

RATE = 25
INTACT: dict[str, int | float] = {"repaired_times": 0, "key_frames": 9, "false_key_frames": 0}


def film(hours: float = 1.0) -> FaceAnalysis:
    video = video_info("film.mp4", time_base=Fraction(1, RATE), frame_rate=Fraction(RATE))
    return face_analysis(video=video, pts=np.arange(round(3600 * RATE * hours)), statistics=INTACT)


def segment(start: int, end: int, person: str = "a") -> Segment:
    return Segment(person, 0, start, end, ())


def takes(seconds: int, length_s: int = 10) -> list[Segment]:
    """One after the other."""
    length = length_s * RATE
    return [segment(start, start + length) for start in range(0, seconds * RATE, length)]


def test_a_short_video_is_one_share() -> None:
    assert share_count([], film(0.1)) == 1
    assert share_count(takes(round(2 * SHARE_S) - 10), film()) == 1


def test_a_long_one_has_shares_of_the_given_length() -> None:
    assert share_count(takes(3600), film()) == 3600 // SHARE_S


def test_nothing_is_divided_where_decoding_depends_on_its_beginning() -> None:
    for found in ({**INTACT, "false_key_frames": 1}, {**INTACT, "key_frames": 0}, {**INTACT, "repaired_times": 2}):
        assert share_count(takes(3600), replace(film(), statistics=found)) == 1
    assert share_count(takes(3600), replace(film(), decode_failures=1)) == 1


def test_one_take_cannot_be_divided() -> None:
    assert share_count([segment(0, 3600 * RATE)], film()) == 1


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_every_clip_is_in_one_share_and_shares_are_about_equal(count: int) -> None:
    segments = takes(3600)[::-1]
    shares = [clip_share(segments, number, count) for number in range(count)]
    assert sorted(member for share in shares for member in share) == list(range(len(segments)))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_overlapping_clips_are_made_together() -> None:
    """They are decoded once."""
    segments = [segment(0, 100), segment(300, 400), segment(50, 200, "b"), segment(150, 250, "c"), segment(250, 300)]
    assert [clip_share(segments, number, 2) for number in (0, 1)] == [[0, 2, 3], [1, 4]]


def test_there_may_be_more_shares_than_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    """People may have been named since they were counted, and only some of them be wanted."""
    assert [clip_share([segment(0, 10)], number, 3) for number in range(3)] == [[0], [], []]
    assert clip_share([], 0, 3) == []
    monkeypatch.setattr(clip_shares, "SHARE_S", 0.1)
    assert share_count(takes(30), film()) == 3
