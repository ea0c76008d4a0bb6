"""Presence becomes segments, segments become the ranges that clips show."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from config import ClipSettings, IdentitySettings
from core.types import FaceAnalysis, Segment, Shot, Tracklet, Transition
from processors.people.segments import (
    Presence,
    SegmentRules,
    pad_and_split,
    person_segments,
    segment_rows,
    turn_segments,
    widened_segments,
)
from tests.material.factories import face_analysis, tracklet, video_info

RATE = 25
RULES = SegmentRules(min_clip_s=1.0, merge_gap_s=1.0)


def dissolving(
    n: int, boundary: int, mixed_last: int, mixed_first: int, transition: Transition = "dissolve"
) -> FaceAnalysis:
    """Two shots, the first of which shows the second in its last frames, and the other way round."""
    whole = analysis(n, (Shot(0, 0, boundary, "start"), Shot(1, boundary, n, "cut")))
    first, second = whole.shots
    second = replace(second, transition=transition, mixed_first=mixed_first)
    return replace(whole, shots=(replace(first, mixed_last=mixed_last), second))


def analysis(n: int, shots: tuple[Shot, ...] = (), pts: np.ndarray | None = None) -> FaceAnalysis:
    video = video_info(time_base=Fraction(1, RATE * 512))
    pts = np.arange(n, dtype=np.int64) * 512 + 9000 if pts is None else pts
    return face_analysis(video=video, pts=pts, cuts=[shot.start for shot in shots[1:]])


def bounds(segments: list[Segment]) -> list[tuple[int, int]]:
    return [(s.start, s.end) for s in segments]


@pytest.mark.parametrize(
    ("rows", "rules", "expected"),
    [
        ([], RULES, []),
        ([(0, 0.0, 4.0)], RULES, [(0, 1)]),
        ([(0, 0.0, 1.0)], RULES, [(0, 1)]),  # exactly min_clip
        ([(0, 0.0, 0.9999)], RULES, []),
        ([(0, 0.0, 0.9999999)], RULES, [(0, 1)]),  # rounded to microseconds in timeline.json
        ([(0, 0.0, 2.0), (0, 3.0, 5.0)], RULES, [(0, 2)]),  # exactly merge_gap
        ([(0, 0.0, 2.0), (0, 3.01, 5.0)], RULES, [(0, 1), (1, 2)]),
        ([(0, 0.0, 0.5), (0, 1.0, 1.5)], RULES, [(0, 2)]),  # long enough together
        ([(0, 0.0, 0.5), (0, 2.0, 2.5)], RULES, []),
        ([(0, 0.0, 9.0), (0, 1.0, 2.0), (0, 9.5, 9.6)], RULES, [(0, 3)]),  # the earliest row ends last
        ([(0, 0.0, 2.0), (1, 2.0, 4.0)], RULES, [(0, 1), (1, 2)]),  # a shot boundary without a gap
        ([(0, 0.0, 2.0), (1, 2.0, 2.4), (3, 2.5, 4.0)], RULES, [(0, 1), (2, 3)]),
        ([(0, 0.0, 0.1)], SegmentRules(0.0, 0.0), [(0, 1)]),
        ([(0, 0.0, 0.1), (0, 0.1, 0.2), (0, 0.3, 0.4)], SegmentRules(0.0, 0.0), [(0, 2), (2, 3)]),
    ],
)
def test_segment_rows(rows: list[tuple[int, float, float]], rules: SegmentRules, expected: list) -> None:
    shots, starts_s, ends_s = np.array(rows, float).reshape(-1, 3).T
    assert segment_rows(shots.astype(np.int64), starts_s, ends_s, rules) == expected


@pytest.mark.parametrize(
    ("still", "skip_still", "count"), [(False, False, 1), (True, False, 1), (False, True, 1), (True, True, 0)]
)
def test_still_people_have_segments_unless_they_are_skipped(still: bool, skip_still: bool, count: int) -> None:
    row = np.zeros(1, np.int64), np.zeros(1), np.full(1, 5.0)
    assert len(segment_rows(*row, SegmentRules(1.0, 1.0, skip_still), still=still)) == count


def test_rules_are_those_of_the_settings() -> None:
    rules = SegmentRules.from_settings(IdentitySettings(skip_still=True), ClipSettings(min_clip=2.0, merge_gap=0.25))
    assert rules == SegmentRules(2.0, 0.25, True)


def found(tracklets: list[Tracklet], rules: SegmentRules = RULES, frames: int = 400, **options) -> list[tuple]:
    starts_s = np.arange(frames) / RATE
    segments = person_segments("a", Presence(tracklets, **options), starts_s, starts_s + 1 / RATE, rules)
    assert {s.person for s in segments} <= {"a"}
    return [(s.shot, s.start, s.end, s.tracklets) for s in segments]


def test_segments_of_tracklets_that_overlap_follow_each_other_and_are_cut_by_shots() -> None:
    tracklets = [
        tracklet(1, range(0, 50)),
        tracklet(2, range(40, 80)),
        tracklet(3, range(110, 150)),
        tracklet(4, range(150, 155), shot=1),
        tracklet(5, range(170, 200), shot=1),
    ]
    assert found(tracklets) == [(0, 0, 80, (1, 2)), (0, 110, 150, (3,)), (1, 150, 200, (4, 5))]
    assert found([]) == []


def test_only_frames_of_the_mask_count_but_the_camera_has_all_tracklets() -> None:
    tracklets = [tracklet(1, range(0, 100)), tracklet(2, range(100, 200)), tracklet(3, range(210, 300))]
    speaks = np.zeros(100, bool)
    speaks[30:70] = True
    masks = {1: speaks, 3: np.zeros(90, bool)}
    rules = SegmentRules(1.0, 0.5)
    assert found(tracklets, rules, masks=masks) == [(0, 30, 70, (1,)), (0, 100, 200, (2,))]
    # Bridged silence is shown with the tracklets that lie in it.
    assert found(tracklets, SegmentRules(1.0, 2.0), masks=masks) == [(0, 30, 200, (1, 2))]
    assert found(tracklets, rules, masks={i: np.zeros(len(t.frames), bool) for i, t in enumerate(tracklets, 1)}) == []


def test_a_pause_of_the_recording_is_an_absence() -> None:
    starts_s = np.arange(100) / RATE
    starts_s[50:] += 3600
    ends_s = np.append(np.minimum(starts_s[1:], starts_s[:-1] + 10), starts_s[-1] + 1 / RATE)
    segments = person_segments("a", Presence([tracklet(1, range(100))]), starts_s, ends_s, RULES)
    assert bounds(list(segments)) == [(0, 50), (50, 100)]


def test_without_settings_nothing_changes() -> None:
    segments = [Segment("a", 0, 3, 90, (1,))]
    assert pad_and_split(analysis(100), segments, ClipSettings()) == segments


def test_padding_ends_at_shots_and_between_segments_of_the_same_person() -> None:
    shots = (Shot(0, 0, 200, "start"), Shot(1, 200, 400, "cut"))
    segments = [
        Segment("a", 0, 60, 80, ()),
        Segment("a", 0, 111, 190, ()),
        Segment("b", 0, 90, 100, ()),
        Segment("a", 1, 210, 390, ()),
    ]
    video = analysis(400, shots)
    assert bounds(pad_and_split(video, segments, ClipSettings(padding=0.4))) == [
        (50, 90), (101, 200), (80, 110), (200, 400),
    ]  # fmt: skip
    assert bounds(pad_and_split(video, segments, ClipSettings(padding=2))) == [
        (10, 96), (96, 200), (40, 150), (200, 400),
    ]  # fmt: skip


def test_padding_counts_time_not_frames() -> None:
    steps = np.tile([512, 1536], 50)
    pts = np.concatenate([[0], np.cumsum(steps)])[:100]
    (segment,) = pad_and_split(analysis(100, pts=pts), [Segment("a", 0, 40, 60, ())], ClipSettings(padding=0.8))
    assert (segment.start, segment.end) == (30, 70)


def test_padded_segments_are_split_without_losing_a_frame() -> None:
    made = analysis(600)
    made = replace(made, tracklets=(tracklet(1, range(25, 575)),))
    segments = [Segment("a", 0, 25, 575, (1,)), Segment("b", 0, 0, 100, (1,))]
    parts = pad_and_split(made, segments, ClipSettings(padding=1, max_clip=10))
    own = [p for p in parts if p.person == "a"]
    assert [p.person for p in parts] == ["a"] * len(own) + ["b"]
    assert own[0].start == 0 and own[-1].end == 600 and len(own) > 2
    assert all(a.end == b.start for a, b in itertools.pairwise(own))
    assert max(p.end - p.start for p in own) <= 250


TURNS = SegmentRules(min_clip_s=1.0, merge_gap_s=0.6, only_speaking=True, lead_s=0.2, tail_s=0.32)


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ([(50, 100)], [(45, 108)]),
        ([(50, 100), (115, 150)], [(45, 158)]),  # a pause of exactly speech_gap
        ([(50, 100), (116, 150)], [(45, 108), (111, 158)]),
        ([(50, 63)], [(45, 71)]),  # with lead and tail exactly one second and a frame
        ([(50, 60)], []),
        ([(2, 40)], [(0, 48)]),  # the shot begins
        ([(190, 210)], [(185, 200)]),  # not over the cut; the rest is too short
        ([(90, 200), (200, 290)], [(85, 200), (200, 298)]),
        ([], []),
    ],
)
def test_a_turn_has_a_lead_and_a_tail_within_its_shot(spoken, expected):
    shots = (Shot(0, 0, 200, "start"), Shot(1, 200, 400, "cut"))
    video = analysis(400, shots)
    tracklets = [tracklet(0, range(200)), tracklet(1, range(200, 400), shot=1)]
    said = {frame for start, end in spoken for frame in range(start, end)}
    masks = {t.id: np.isin(t.frames, sorted(said)) for t in tracklets}
    times_s = np.arange(401) / RATE
    turns = person_segments("x", Presence(tracklets, masks=masks), times_s[:-1], times_s[1:], TURNS)
    found = list(turn_segments(video, turns, TURNS))
    assert bounds(found) == [(a, b) for a, b in expected if b - a >= 25]
    assert all(segment.tracklets == (segment.shot,) for segment in found)


def test_leads_and_tails_of_neighbours_meet_in_the_middle():
    segments = [Segment("x", 0, 50, 100, (0,)), Segment("x", 0, 110, 150, (0,)), Segment("y", 0, 104, 120, (1,))]
    assert bounds(widened_segments(analysis(300), segments, 0.4, 0.8)) == [(40, 105), (105, 170), (94, 140)]


def test_clips_leave_out_the_frames_of_a_dissolve() -> None:
    film = dissolving(200, 100, 10, 8)
    segments = [Segment("a", 0, 0, 100, (0,)), Segment("b", 1, 100, 200, (1,))]
    assert bounds(pad_and_split(film, segments, ClipSettings())) == [(0, 90), (108, 200)]
    assert bounds(pad_and_split(film, segments, ClipSettings(padding=1.0))) == [(0, 90), (108, 200)]


@pytest.mark.parametrize("transition", ["dissolve", "wipe"])
@pytest.mark.parametrize(("mixed", "expected"), [((10, 8), [(0, 90), (108, 175)]), ((20, 0), [(0, 80), (100, 175)])])
def test_padding_ends_at_every_transition(
    transition: Transition, mixed: tuple[int, int], expected: list[tuple[int, int]]
) -> None:
    """A fade has all of its frames in one shot."""
    segments = [Segment("a", 0, 20, 75, (0,)), Segment("b", 1, 120, 150, (1,))]
    padded = pad_and_split(dissolving(200, 100, *mixed, transition), segments, ClipSettings(padding=1.0))
    assert bounds(padded) == expected


def test_nobody_loses_their_only_clip_to_a_dissolve() -> None:
    segments = [Segment("a", 0, 70, 100, (0,)), Segment("b", 1, 100, 107, (1,))]
    kept = pad_and_split(dissolving(200, 100, 10, 8), segments, ClipSettings(min_clip=1.0))
    assert bounds(kept) == [(70, 95), (100, 107)], "as many of its frames as the shortest clip needs"
