"""From tracks to tracklets: source pixels, a row for every frame, cut where the shots end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.types import Shot, Tracklet
from processors.faces.tracklet_maker import MIN_FRAMES, cut_at_shots, interpolated, make_tracklet, tracklet_frames
from processors.tracking.track import Track
from tests.material.scripted_faces import landmarks_in

SCALE = np.array([2.0, 3.0], np.float32)
SCORE = 0.95


def make(track: Track, samples: tuple[int, ...] = (), **signals: Any) -> Tracklet:
    columns = {
        "sharpness": np.arange(len(tracklet_frames(track)), dtype=np.float32),
        "sample_frames": np.array(samples, np.int64),
        "sample_quality": np.ones(len(samples), np.float32),
        "embeddings": np.array([[frame, 1] for frame in samples], np.float32).reshape(-1, 2),
        "face_jpeg": np.frombuffer(b"jpeg", np.uint8),
        **signals,
    }
    return make_tracklet(track, SCALE, columns)


def track_over(frames: list[int]) -> Track:
    track = Track(7)
    for frame in frames:
        box = np.array([10 + 2 * frame, 20, 30 + 2 * frame, 50], np.float32)
        track.append(frame, box, SCORE, landmarks_in(box[None])[0])
    return track


def test_boxes_and_landmarks_are_in_source_pixels() -> None:
    tracklet = make(track_over(list(range(5, 15))))
    assert tracklet.id == 7
    assert tracklet.frames.tolist() == list(range(5, 15))
    assert tracklet.boxes[0] == pytest.approx([2 * 20, 3 * 20, 2 * 40, 3 * 50])
    assert tracklet.landmarks == pytest.approx(landmarks_in(tracklet.boxes), rel=1e-5)
    assert tracklet.scores == pytest.approx(np.full(10, SCORE))
    assert tracklet.face_jpeg == b"jpeg"


def test_the_samples_keep_their_order_and_their_embeddings() -> None:
    tracklet = make(track_over(list(range(10))), (6, 2, 9))
    assert tracklet.sample_frames.tolist() == [6, 2, 9]
    assert tracklet.embeddings[:, 0].tolist() == [6, 2, 9]


def test_a_column_that_does_not_fit_the_track_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"signal speech \(4,\), expected \(5,\)"):
        make(track_over(list(range(5))), speech=np.zeros(4, np.float32))


def test_a_hidden_face_keeps_its_place_with_score_0() -> None:
    tracklet = make(track_over([0, 1, 2, 6, 7]))
    assert tracklet.frames.tolist() == list(range(8))
    assert np.flatnonzero(tracklet.scores == 0).tolist() == [3, 4, 5]
    assert tracklet.boxes[:, 0] == pytest.approx(2 * (10 + 2 * np.arange(8)))


def test_rows_between_are_linear() -> None:
    rows = interpolated(np.array([3, 5, 9]), np.array([[0, 1], [2, 1], [10, 5]], np.float32))
    assert rows.tolist() == [[0, 1], [1, 1], [2, 1], [4, 2], [6, 3], [8, 4], [10, 5]]


def shots(*ends: int) -> list[Shot]:
    return [Shot(i, start, end, "cut") for i, (start, end) in enumerate(zip((0, *ends), ends, strict=False))]


def whole(frames: int = 30) -> Tracklet:
    return make(track_over(list(range(frames))), (25, 3, 12, 1), speech=np.arange(frames, dtype=np.float32))


def test_a_tracklet_within_a_shot_stays_whole() -> None:
    (piece,) = cut_at_shots(whole(), shots(40, 80))
    assert piece.shot == 0 and len(piece.frames) == 30
    assert piece.sample_frames.tolist() == [25, 3, 12, 1]


def test_every_shot_gets_its_rows_and_its_samples() -> None:
    tracklet = whole()
    pieces = cut_at_shots(tracklet, shots(10, 20, 40))
    assert [(p.shot, p.start, p.end) for p in pieces] == [(0, 0, 10), (1, 10, 20), (2, 20, 30)]
    assert [p.sample_frames.tolist() for p in pieces] == [[3, 1], [12], [25]]
    assert [p.embeddings[:, 0].tolist() for p in pieces] == [[3, 1], [12], [25]]
    assert np.array_equal(np.concatenate([p.boxes for p in pieces]), tracklet.boxes)
    assert [p.signals["speech"].tolist() for p in pieces] == [p.frames.tolist() for p in pieces]


def test_a_piece_that_is_too_short_is_dropped() -> None:
    pieces = cut_at_shots(whole(), shots(30 - MIN_FRAMES + 1, 60))
    assert [p.shot for p in pieces] == [0]


def test_a_piece_begins_and_ends_with_a_face_that_is_seen() -> None:
    hidden_over_the_cut = make(track_over([*range(12), *range(20, 30)]))
    pieces = cut_at_shots(hidden_over_the_cut, shots(15, 40))
    assert [(p.start, p.end) for p in pieces] == [(0, 12), (20, 30)]
