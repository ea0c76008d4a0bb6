"""Cuts that were given instead of found."""

from __future__ import annotations

import numpy as np

from processors.shots.given_cuts import GivenCuts

IMAGE = np.zeros((72, 128, 3), np.uint8)


def test_every_cut_is_reported_with_its_frame() -> None:
    given = GivenCuts("frames 0 3 7 20", 25.0)
    found = [(frame, b.frame, b.transition) for frame in range(10) for b in given.update(IMAGE)]
    assert found == [(3, 3, "cut"), (7, 7, "cut")]
    assert given.finish() == []
    assert [(shot.start, shot.end) for shot in given.shots(10)] == [(0, 3), (3, 7), (7, 10)]


def test_cuts_beyond_the_end_are_counted() -> None:
    given = GivenCuts("frames 0 3 7 20", 25.0)
    assert [given.beyond(count) for count in (30, 20, 10, 7)] == [0, 1, 1, 2]


def test_in_a_part_of_a_video_frames_count_from_its_first_one() -> None:
    given = GivenCuts("frames 0 3 7 20", 25.0, first_frame=3)
    assert [b.frame for _ in range(10) for b in given.update(IMAGE)] == [4]
    assert [(shot.start, shot.end) for shot in given.shots(10)] == [(0, 4), (4, 10)]
    assert [given.beyond(count) for count in (18, 17, 4)] == [0, 1, 2]
