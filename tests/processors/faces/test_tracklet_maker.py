"""From tracks to tracklets: source pixels, a row for every frame, cut where the shots end."""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numpy as np
import pytest

from core.types import Shot, Tracklet, Transition
from processors.faces.face_sampler import Portrait
from processors.faces.tracklet_maker import (
    Findings,
    KeptPortrait,
    MeasuredTrack,
    cut_track,
    interpolated,
    measured_track,
    tracklet_frames,
)
from processors.tracking.frame_pace import FramePace
from processors.tracking.track import Track
from tests.material.scripted_faces import PACE, landmarks_in
from utils.processes.spill_file import Spillable

SCALE = np.array([2.0, 3.0], np.float32)
SCORE = 0.95


RATE = 8.0
MIN_FRAMES = 3
"""of a track at this rate"""
"""frames per second: a dissolve takes 4 frames"""


def make(track: Track, samples: tuple[int, ...] = (), divisions: tuple[int, ...] = (), **signals: Any) -> MeasuredTrack:
    columns = {
        "sharpness": np.arange(len(tracklet_frames(track)), dtype=np.float32),
        "sample_frames": np.array(samples, np.int64),
        "sample_quality": np.ones(len(samples), np.float32),
        "embeddings": np.array([[frame, 1] for frame in samples], np.float32).reshape(-1, 2),
        **signals,
    }
    images = [Portrait(frame, 1.0, np.full((64, 64, 3), frame, np.uint8)) for frame in sorted(samples)]
    portraits = [KeptPortrait(one.frame, one.merit, one.jpeg()) for one in images]
    return measured_track(track, SCALE, [Findings(columns, divisions, portraits)], PACE)


def level(jpeg: Spillable) -> int:
    """The frame that a portrait of `make` is from."""
    decoded = cv2.imdecode(np.frombuffer(bytes(jpeg), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    return round(float(decoded.mean()))


def track_over(frames: list[int]) -> Track:
    track = Track(7)
    for frame in frames:
        box = np.array([10 + 2 * frame, 20, 30 + 2 * frame, 50], np.float32)
        track.append(frame, box, SCORE, landmarks_in(box[None])[0])
    return track


def test_boxes_and_landmarks_are_in_source_pixels() -> None:
    tracklet = make(track_over(list(range(5, 15)))).whole
    assert tracklet.id == 7
    assert tracklet.frames.tolist() == list(range(5, 15))
    assert tracklet.boxes[0] == pytest.approx([2 * 20, 3 * 20, 2 * 40, 3 * 50])
    assert tracklet.landmarks == pytest.approx(landmarks_in(tracklet.boxes), rel=1e-5)
    assert tracklet.scores == pytest.approx(np.full(10, SCORE))
    assert tracklet.face_jpeg == b"", "portraits belong to pieces"


def test_the_samples_keep_their_order_and_their_embeddings() -> None:
    tracklet = make(track_over(list(range(10))), (6, 2, 9)).whole
    assert tracklet.sample_frames.tolist() == [6, 2, 9]
    assert tracklet.embeddings[:, 0].tolist() == [6, 2, 9]


def test_a_column_that_does_not_fit_the_track_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"signal speech \(4,\), expected \(5,\)"):
        make(track_over(list(range(5))), speech=np.zeros(4, np.float32))


def test_a_hidden_face_keeps_its_place_with_score_0() -> None:
    tracklet = make(track_over([0, 1, 2, 6, 7])).whole
    assert tracklet.frames.tolist() == list(range(8))
    assert np.flatnonzero(tracklet.scores == 0).tolist() == [3, 4, 5]
    assert tracklet.boxes[:, 0] == pytest.approx(2 * (10 + 2 * np.arange(8)))


def test_rows_between_are_linear() -> None:
    rows = interpolated(np.array([3, 5, 9]), np.array([[0, 1], [2, 1], [10, 5]], np.float32))
    assert rows.tolist() == [[0, 1], [1, 1], [2, 1], [4, 2], [6, 3], [8, 4], [10, 5]]


def shots(*ends: int, transition: Transition = "cut", mixed: int = 0) -> list[Shot]:
    """mixed: so many frames on either side of each transition lie in it."""
    return [
        Shot(
            i, start, end, transition,
            mixed_first=mixed if start else 0, mixed_last=mixed if end < ends[-1] else 0,
        )
        for i, (start, end) in enumerate(zip((0, *ends), ends, strict=False))
    ]  # fmt: skip


def cut(track: MeasuredTrack, into: list[Shot], capacity: int = 6) -> list[Tracklet]:
    return cut_track(track, into, FramePace(RATE), capacity)


def whole(frames: int = 30, divisions: tuple[int, ...] = ()) -> MeasuredTrack:
    speech = np.arange(frames, dtype=np.float32)
    return make(track_over(list(range(frames))), (25, 3, 12, 1), divisions, speech=speech)


def test_a_track_within_a_shot_stays_whole() -> None:
    (piece,) = cut(whole(), shots(40, 80))
    assert piece.shot == 0 and len(piece.frames) == 30
    assert sorted(piece.sample_frames.tolist()) == [1, 3, 12, 25]


def test_every_shot_gets_its_rows_samples_and_portrait() -> None:
    track = whole()
    pieces = cut(track, shots(10, 20, 40))
    assert [(p.shot, p.start, p.end) for p in pieces] == [(0, 0, 10), (1, 10, 20), (2, 20, 30)]
    assert [p.sample_frames.tolist() for p in pieces] == [[1, 3], [12], [25]]
    assert [p.embeddings[:, 0].tolist() for p in pieces] == [[1, 3], [12], [25]]
    assert [level(p.face_jpeg) for p in pieces] == [1, 12, 25]
    assert np.array_equal(np.concatenate([p.boxes for p in pieces]), track.whole.boxes)
    assert [p.signals["speech"].tolist() for p in pieces] == [p.frames.tolist() for p in pieces]


def test_so_does_every_person() -> None:
    pieces = cut(whole(divisions=(8, 20)), shots(40))
    assert [(p.shot, p.start, p.end) for p in pieces] == [(0, 0, 8), (0, 8, 20), (0, 20, 30)]
    assert [p.sample_frames.tolist() for p in pieces] == [[1, 3], [12], [25]]
    assert [level(p.face_jpeg) for p in pieces] == [1, 12, 25]


def test_a_piece_without_samples_has_no_portrait() -> None:
    pieces = cut(whole(divisions=(14, 20)), shots(40))
    assert pieces[1].sample_frames.size == 0 and pieces[1].face_jpeg == b""


def test_a_dissolve_divides_once() -> None:
    """The face is found to have changed two frames after the middle of the dissolve."""
    pieces = cut(whole(divisions=(17,)), shots(15, 40, transition="dissolve"))
    assert [(p.start, p.end) for p in pieces] == [(0, 15), (15, 30)]


def test_a_dissolve_of_a_tile_divides_beside_that_of_the_frame_but_not_with_it() -> None:
    for division, starts in ((19, [0, 15, 19]), (16, [0, 15])):
        track = dataclasses.replace(whole(divisions=(division,)), dissolves=(division,))
        assert [p.start for p in cut(track, shots(15, 40, transition="dissolve"))] == starts


def test_a_piece_that_begins_where_the_face_changed_at_once_replaces_another() -> None:
    track = dataclasses.replace(whole(divisions=(8, 20)), switches=(20,))
    assert [p.is_replacement for p in cut(track, shots(25, 40))] == [False, False, True, False]


def test_mixtures_of_two_faces_do_not_represent_a_person() -> None:
    track = make(track_over(list(range(30))), (25, 3, 14, 15))
    pieces = cut(track, shots(15, 40, transition="dissolve", mixed=2))
    assert [p.sample_frames.tolist() for p in pieces] == [[3], [25]]
    assert [level(p.face_jpeg) for p in pieces] == [3, 25]
    only_mixtures = cut(make(track_over(list(range(30))), (14, 15)), shots(15, 40, transition="dissolve", mixed=2))
    assert [p.sample_frames.tolist() for p in only_mixtures] == [[14], [15]]


def test_faces_that_a_wipe_may_have_passed_do_not_represent_a_person() -> None:
    track = make(track_over(list(range(30))), (25, 7, 10, 20), (10, 20))
    pieces = cut(track, shots(15, 40, transition="wipe", mixed=6))
    assert [(p.start, p.end) for p in pieces] == [(0, 15), (15, 30)]
    assert [p.sample_frames.tolist() for p in pieces] == [[7], [25]]


def test_a_piece_keeps_no_more_samples_than_asked_for() -> None:
    (piece,) = cut(make(track_over(list(range(30))), (0, 1, 2, 15, 29)), shots(40), capacity=3)
    assert piece.sample_frames.tolist() == [0, 15, 29]


@pytest.mark.parametrize("kind", ["dissolve", "wipe"])
@pytest.mark.parametrize(("middle", "kept"), [(26, [(0, 26)]), (4, [(4, 30)]), (20, [(0, 20), (20, 30)])])
def test_a_face_that_only_fades_out_or_in_beyond_the_middle_is_no_piece(
    kind: Transition, middle: int, kept: list[tuple[int, int]]
) -> None:
    """Up to 0.85 s, which is 6 frames here."""
    assert [(p.start, p.end) for p in cut(whole(), shots(middle, 40, transition=kind))] == kept


def test_a_short_piece_beside_a_cut_or_of_a_track_that_goes_on_is_one() -> None:
    assert [(p.start, p.end) for p in cut(whole(), shots(26, 40))] == [(0, 26), (26, 30)]
    goes_on = cut(whole(), shots(12, 17, 40, transition="dissolve"))
    assert [(p.start, p.end) for p in goes_on] == [(0, 12), (12, 17), (17, 30)]


def test_a_track_within_a_transition_keeps_its_longer_piece() -> None:
    pieces = cut(make(track_over(list(range(10)))), shots(4, 40, transition="dissolve"))
    assert [(p.start, p.end) for p in pieces] == [(4, 10)]


def test_a_face_that_is_seen_only_in_a_transition_is_no_piece() -> None:
    """It may be half of an image that moves, or a mixture of two faces."""
    wiped = shots(15, 40, transition="wipe", mixed=5)
    assert cut(make(track_over(list(range(11, 19))), (12,)), wiped) == []
    assert [(p.start, p.end) for p in cut(make(track_over(list(range(7, 15))), (8,)), wiped)] == [(7, 15)]
    assert cut(make(track_over(list(range(8, 15))), (9,)), wiped) == []


def test_whoever_is_seen_in_a_shot_between_two_transitions_only_is_a_piece() -> None:
    """Two frames of the second shot lie in none of them, which is less than the shortest track."""
    between = cut(make(track_over(list(range(10, 20))), (12, 17)), shots(10, 20, 40, transition="dissolve", mixed=4))
    assert [(p.start, p.end, sorted(p.sample_frames.tolist())) for p in between] == [(10, 20, [12, 17])]


def test_a_piece_that_is_too_short_is_dropped() -> None:
    pieces = cut(whole(), shots(30 - MIN_FRAMES + 1, 60))
    assert [p.shot for p in pieces] == [0]


def test_faces_of_a_blurred_copy_around_the_picture_are_dropped() -> None:
    # The middles of the boxes go from 40 to 156 px across, at 105 px.
    one, other = shots(15, 30)
    for active, kept in (((0, 0, 300, 100), []), ((0, 90, 300, 200), [0, 1]), ((100, 0, 300, 200), [1])):
        within = [dataclasses.replace(shot, active=active) for shot in (one, other)]
        assert [p.shot for p in cut(whole(), within)] == kept


def test_a_piece_begins_and_ends_with_a_face_that_is_seen() -> None:
    hidden_over_the_cut = make(track_over([*range(12), *range(20, 30)]))
    pieces = cut(hidden_over_the_cut, shots(15, 40))
    assert [(p.start, p.end) for p in pieces] == [(0, 12), (20, 30)]
    hidden_before_the_other = make(track_over([*range(12), *range(20, 30)]), divisions=(20,))
    assert [(p.start, p.end) for p in cut(hidden_before_the_other, shots(40))] == [(0, 12), (20, 30)]
