"""Tracks without the frames of transitions in which the image moves."""

from __future__ import annotations

import dataclasses

import numpy as np

from core.types import Shot
from processors.faces.transition_frames import moving_spans, stays, whole_image_bursts, without
from processors.shots.motion_burst import Burst
from tests.processors.faces.test_hand_over import ANNA, LEFT, track

SPAN = (95, 105)


def test_only_bursts_of_the_whole_image_at_wipes_count() -> None:
    bursts = whole_image_bursts([Burst(10, 20, 0.9), Burst(40, 50, 0.3), Burst(60, 70, 0.9), Burst(95, 105, 1.0)])
    shots = (Shot(0, 0, 15, "start"), Shot(1, 15, 65, "wipe"), Shot(2, 65, 100, "cut"), Shot(3, 100, 200, "wipe"))
    assert moving_spans(shots, bursts) == [(10, 20), (95, 105)]


def test_parts_of_a_track_outside_of_spans_that_overlap() -> None:
    parts = without(track(0, 200, LEFT, ANNA, divisions=(50,)), [(100, 110), (90, 102), (0, 5)])
    assert [(part.whole.start, part.whole.end) for part in parts] == [(5, 90), (110, 200)]
    assert [list(part.divisions) for part in parts] == [[50], []]
    assert parts[0].whole.sample_frames.max() < 90 <= 110 <= parts[1].whole.sample_frames.min()


def test_a_track_within_a_span_is_gone_and_without_spans_all_is_left() -> None:
    one = track(96, 104, LEFT, ANNA)
    assert without(one, [SPAN]) == []
    assert without(one, []) == [one]


def test_a_face_in_an_inset_stays() -> None:
    assert stays(track(0, 200, LEFT, ANNA), SPAN)
    assert not stays(track(0, 100, LEFT, ANNA), SPAN)
    assert not stays(track(95, 200, LEFT, ANNA), SPAN)


def test_a_face_that_moves_or_is_out_of_sight_does_not_stay() -> None:
    one = track(0, 200, LEFT, ANNA)
    whole = one.whole
    boxes, scores = whole.boxes.copy(), whole.scores.copy()
    boxes[98:102] += 60
    scores[95:105] = 0
    assert not stays(dataclasses.replace(one, whole=dataclasses.replace(whole, boxes=boxes)), SPAN)
    assert not stays(dataclasses.replace(one, whole=dataclasses.replace(whole, scores=scores)), SPAN)


def test_somebody_else_in_the_same_place_has_not_stayed() -> None:
    assert not stays(track(0, 200, LEFT, ANNA, divisions=(100,)), SPAN)


def test_samples_are_kept_with_their_parts() -> None:
    (before, after) = without(track(0, 200, LEFT, ANNA), [SPAN])
    assert len(before.whole.embeddings) == 19 and len(after.whole.embeddings) == 19
    assert np.array_equal(after.whole.sample_frames, np.arange(105, 200, 5))
