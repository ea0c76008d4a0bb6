"""Tracks without some spans of frames."""

from __future__ import annotations

import numpy as np

from processors.faces.track_parts import without
from tests.processors.faces.test_hand_over import ANNA, LEFT, track

SPAN = (95, 105)


def test_parts_of_a_track_outside_of_spans_that_overlap() -> None:
    parts = without(track(0, 200, LEFT, ANNA, divisions=(50,)), [(100, 110), (90, 102), (0, 5)])
    assert [(part.whole.start, part.whole.end) for part in parts] == [(5, 90), (110, 200)]
    assert [list(part.divisions) for part in parts] == [[50], []]
    assert parts[0].whole.sample_frames.max() < 90 <= 110 <= parts[1].whole.sample_frames.min()


def test_a_track_within_a_span_is_gone_and_without_spans_all_is_left() -> None:
    one = track(96, 104, LEFT, ANNA)
    assert without(one, [SPAN]) == []
    assert without(one, []) == [one]


def test_samples_are_kept_with_their_parts() -> None:
    (before, after) = without(track(0, 200, LEFT, ANNA), [SPAN])
    assert len(before.whole.embeddings) == 19 and len(after.whole.embeddings) == 19
    assert np.array_equal(after.whole.sample_frames, np.arange(105, 200, 5))
